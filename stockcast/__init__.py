"""stockcast: honest price forecasts from a Keras LSTM, on the command line and from Python.

    import stockcast

    prices = stockcast.read("data/ibm.csv")
    model = stockcast.train(prices)
    print(model.verdict)
    model.predict()

All names come from `stockcast.api`, which is loaded when the first of them is asked for.
"""

from typing import TYPE_CHECKING, Any

from stockcast.version import __version__

if TYPE_CHECKING:
    from stockcast.api import (
        Epoch,
        Judgement,
        Model,
        Prices,
        StockcastError,
        backtest,
        judge,
        open,  # noqa: A004 -- as one says it: stockcast.open
        read,
        train,
    )

__all__ = [
    "Epoch",
    "Judgement",
    "Model",
    "Prices",
    "StockcastError",
    "__version__",
    "backtest",
    "judge",
    "open",
    "read",
    "train",
]


def __getattr__(name: str) -> Any:
    """The names of the API, as PEP 562 has it."""
    if name not in __all__:
        raise AttributeError(f"module 'stockcast' has no attribute {name!r}")
    from stockcast import api

    return getattr(api, name)


def __dir__() -> list[str]:
    return sorted(__all__)
