"""A PyTorch network on scikit-learn's digits: layers, rate and optimizer, with pruning."""

import optuna
import torch
from optuna.trial import TrialState
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import nn

EPOCHS = 6

X, y = load_digits(return_X_y=True)
split = train_test_split(X / 16, y, test_size=0.25, random_state=0, stratify=y)
train_x, valid_x = (torch.tensor(each, dtype=torch.float32) for each in split[:2])
train_y, valid_y = (torch.tensor(each) for each in split[2:])


def define_model(trial):
    layers, width = [], 64
    for i in range(trial.suggest_int("n_layers", 1, 3)):
        units = trial.suggest_int(f"n_units_l{i}", 8, 64)
        layers += [nn.Linear(width, units), nn.ReLU()]
        layers.append(nn.Dropout(trial.suggest_float(f"dropout_l{i}", 0.0, 0.5)))
        width = units
    return nn.Sequential(*layers, nn.Linear(width, 10))


def objective(trial):
    torch.manual_seed(trial.number)
    model = define_model(trial)
    rate = trial.suggest_float("lr", 1e-4, 1e-1, log=True)
    name = trial.suggest_categorical("optimizer", ["Adam", "RMSprop", "SGD"])
    optimizer = getattr(torch.optim, name)(model.parameters(), lr=rate)
    for epoch in range(EPOCHS):
        model.train()
        for rows in torch.randperm(len(train_x)).split(64):
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(train_x[rows]), train_y[rows])
            loss.backward()
            optimizer.step()
        model.eval()
        with torch.no_grad():
            accuracy = (model(valid_x).argmax(1) == valid_y).float().mean().item()
        trial.report(accuracy, epoch)
        if trial.should_prune():
            raise optuna.exceptions.TrialPruned()
    return accuracy


if __name__ == "__main__":
    study = optuna.create_study(direction="maximize", pruner=optuna.pruners.MedianPruner())
    study.optimize(objective, n_trials=25, timeout=600)

    pruned = study.get_trials(deepcopy=False, states=[TrialState.PRUNED])
    complete = study.get_trials(deepcopy=False, states=[TrialState.COMPLETE])
    print("finished trials:", len(study.trials))
    print("pruned:", len(pruned))
    print("complete:", len(complete))
    print("best accuracy:", study.best_trial.value)
    for key, value in study.best_trial.params.items():
        print(f"    {key}: {value}")
