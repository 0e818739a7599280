"""What somebody writes first in a notebook, in a folder with ibm.csv."""

import pandas as pd

import stockcast

frame = pd.read_csv("ibm.csv", parse_dates=["Date"], index_col="Date")
model = stockcast.train(frame, name="first", settings={"fit.epochs": 1})
print(model.verdict)
print(model.scores[["step", "model", "rmse", "pinball", "held_80"]])
print(model.predict(days=5, level=[80, 95]))
model.plot().savefig("first.png")
model.save("first", store="first-models")
print(stockcast.open("first", store="first-models").version)
print(stockcast.backtest(frame, start="2012-01-03", against=["har"], settings={"fit.epochs": 1}).verdict)
