"""One training in Keras itself, for `in_keras.py`, which calls this with the Python of an environment that has Keras.

It imports nothing of emotone: the network is built a second time, from the recipe's words alone.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np


def build(model: dict[str, Any], shape: list[int], classes: int) -> Any:
    """Return what a recipe with `kind: network` describes, for features of one shape, channels first."""
    from keras import Input, Sequential, layers

    torch = model["framework"] == "torch"
    image, read = model["reads"] == "image", Sequential([Input(tuple(shape))])
    if image:
        read.add(layers.Reshape((*shape, 1)))
    else:
        read.add(layers.Permute((2, 1)) if model["reads"] == "sequence" else layers.Reshape((*shape, 1)))
    convolution, pooling = (layers.Conv2D, layers.MaxPool2D) if image else (layers.Conv1D, layers.MaxPool1D)
    blocks = model["convolution"] or {"channels": [], "kernel": [], "pool": [], "dropout": []}
    for channels, kernel, pool, dropout in zip(
        *(blocks[key] for key in ("channels", "kernel", "pool", "dropout")), strict=True
    ):
        fan_in = int(np.prod([kernel] * (2 if image else 1))) * read.output_shape[-1]
        read.add(convolution(channels, kernel, padding=blocks["padding"], **(_as_torch(fan_in) if torch else {})))
        statistics = {"momentum": 0.9, "epsilon": 1e-5} if torch else {}
        norm = [layers.BatchNormalization(**statistics)]
        activation = [layers.Activation(blocks["activation"])]
        order = {"none": activation, "before": norm + activation, "after": activation + norm}[blocks["norm"]]
        for layer in [*order, pooling(pool), *([layers.Dropout(dropout)] if dropout else [])]:
            read.add(layer)
    if image:  # the maps of one time step are one step
        bands, steps, maps = read.output_shape[1:]
        read.add(layers.Permute((2, 1, 3)))
        read.add(layers.Reshape((steps, bands * maps)))
    recurrent = (model["recurrent"] or {"units": []})["units"]
    for number, units in enumerate(recurrent):
        whole = number < len(recurrent) - 1 or model["pooling"] == "average"
        read.add(layers.LSTM(units, return_sequences=whole, **(_lstm_as_torch(units) if torch else {})))
    if model["pooling"] == "average":
        read.add(layers.GlobalAveragePooling1D())
    elif model["pooling"] == "flatten":
        read.add(layers.Flatten())
    for layer in model["dense"]:
        read.add(layers.Dense(layer["units"], "relu", **(_as_torch(read.output_shape[-1]) if torch else {})))
        read.add(layers.Dropout(layer["dropout"]))
    read.add(layers.Dense(classes, "softmax", **(_as_torch(read.output_shape[-1]) if torch else {})))
    return read


def _as_torch(fan_in: int) -> dict[str, Any]:
    """Return initial weights as torch.nn.Linear and Conv have them: uniform within 1 / sqrt(fan in), biases too."""
    from keras.initializers import RandomUniform

    bound = fan_in**-0.5
    return {"kernel_initializer": RandomUniform(-bound, bound), "bias_initializer": RandomUniform(-bound, bound)}


def _lstm_as_torch(units: int) -> dict[str, Any]:
    weights = _as_torch(units)
    return {"unit_forget_bias": False, "recurrent_initializer": weights["kernel_initializer"], **weights}


def loss_of(training: dict[str, Any]) -> Any:
    """Return the recipe's loss of one-hot targets."""
    from keras.losses import CategoricalFocalCrossentropy

    if training["loss"] == "focal":
        return CategoricalFocalCrossentropy(alpha=training["focal_alpha"], gamma=training["focal_gamma"])
    return {"mse": "mse", "cross_entropy": "categorical_crossentropy"}[training["loss"]]


def train(recipe: dict[str, Any], classes: int, seed: int, data: Any) -> dict[str, Any]:
    """Train as the paper's program would; return the epochs, and what all but the first took of a processor."""
    import keras

    keras.utils.set_random_seed(seed)
    model, training = recipe["model"], recipe["training"]
    X, X_monitor = data["X"], data["X_monitor"]
    network = build(model, list(X.shape[1:]), classes)
    epsilon = 1e-8 if model["framework"] == "torch" else 1e-7
    optimiser = keras.optimizers.Adam(training["learning_rate"], epsilon=epsilon)
    network.compile(optimiser, loss_of(training), metrics=["accuracy"])
    ends: list[float] = []
    callbacks = [keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: ends.append(time.process_time()))]
    if plateau := training["plateau"]:
        rates = {"factor": plateau["factor"], "patience": plateau["patience"], "min_lr": plateau["floor"]}
        callbacks.append(keras.callbacks.ReduceLROnPlateau("val_loss", **rates))
    if training["patience"]:
        callbacks.append(keras.callbacks.EarlyStopping("val_loss", patience=training["patience"]))
    y, y_monitor = (keras.utils.to_categorical(data[name], classes) for name in ("y", "y_monitor"))
    told = network.fit(
        X,
        y,
        batch_size=training["batch"],
        epochs=training["epochs"],
        validation_data=(X_monitor, y_monitor),
        callbacks=callbacks,
        verbose=0,
    ).history
    names = {
        "loss": "train_loss",
        "accuracy": "train_accuracy",
        "val_loss": "monitor_loss",
        "val_accuracy": "monitor_accuracy",
    }
    return {
        "history": [{new: told[old][at] for old, new in names.items()} for at in range(len(told["loss"]))],
        "parameters": network.count_params(),
        "seconds_per_epoch": float(np.diff(ends).mean()),
        "versions": {"keras": keras.version(), keras.backend.backend(): _backend()},
    }


def _backend() -> str:
    import tensorflow

    return str(tensorflow.__version__)


def main(folder: Path) -> None:
    """Read what `in_keras.py` wrote, and write `found.json` beside it."""
    asked = json.loads((folder / "asked.json").read_text(encoding="utf-8"))
    with np.load(folder / "data.npz") as data:
        found = train(asked["recipe"], asked["classes"], asked["seed"], data)
    (folder / "found.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
