"""Networks carried off to PyTorch."""

from __future__ import annotations

import numpy as np
import pytest

from modelshelf import Configuration, train
from modelshelf.core.errors import SettingError
from modelshelf.data.read.frames import from_memory


@pytest.mark.parametrize(
    "settings",
    [
        {"parametrisation": "ntk", "initialisation": "standard_normal"},
        {"input_scale": "yes", "scale_lr_factor": 6.0, "biases": "no"},
        {"clamp_output": "yes", "loss": "quadratic"},
        {"normalisation": "layer", "hidden_layers": (8, 6)},
        {"normalisation": "batch", "hidden_layers": (8, 6)},
    ],
)
def test_scales_and_limits_are_carried_off_to_pytorch(settings):
    torch = pytest.importorskip("torch")
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    y = X[:, 0] * 3 + rng.normal(size=200)
    configuration = Configuration(**{"hidden_layers": (8,), "epochs": 20, **settings})
    model = train(X, y, configuration)
    far = 5 * X
    table = from_memory(far)[0]
    inputs = torch.from_numpy(model.preparation.transform(table.frame))
    with torch.no_grad():
        answers = model.to_torch()(inputs).numpy()[:, 0]
    theirs = model.preparation.unscale_target(answers.astype(np.float64))
    np.testing.assert_allclose(theirs, model.predict(far), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    "settings",
    [{"numeric_encoding": "periodic"}, {"residual": "yes"}, {"ensemble_size": 2}],
)
def test_what_pytorchs_plain_form_cannot_hold_is_refused(settings):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(100, 3))
    configuration = Configuration(epochs=2, **settings)
    with pytest.raises(SettingError, match="learned encodings"):
        train(X, X[:, 0], configuration).to_torch()
