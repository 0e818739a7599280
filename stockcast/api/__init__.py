"""stockcast from Python: what `import stockcast` offers, each name loaded when it is first asked for.

A thin face over the functions that the command line uses, with the same numbers. Prices, events and rows come as pandas
frames or as paths; results go as frames, with dates as datetime64.

What is refused is a `StockcastError` with the words of the command line, a `fix` and an `exit_code`. A fix names flags,
and each has its argument here: `--set fit.epochs=3` is `settings={"fit.epochs": 3}`, `--accept splits` is
`accept=["splits"]`, `--columns close=Last` is `columns={"close": "Last"}`.

What there is to say beside a result goes to the logger `stockcast`, which nobody sets up here: how prices were read and
what was found in them at INFO, what is doubtful about a forecast at WARNING. One network is trained at a time; a second
thread waits.
"""

from stockcast.api.judging import Judgement, backtest, judge
from stockcast.api.model import Model, open, train  # noqa: A004 -- as one says it: stockcast.open
from stockcast.api.prices import Prices, read
from stockcast.errors import StockcastError
from stockcast.model.training_run import Epoch

__all__ = ["Epoch", "Judgement", "Model", "Prices", "StockcastError", "backtest", "judge", "open", "read", "train"]
