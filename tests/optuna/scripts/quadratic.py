"""A parabola in two parameters, and what came of it."""

import optuna


def objective(trial):
    x = trial.suggest_float("x", -10, 10)
    y = trial.suggest_int("y", -5, 5)
    return (x - 2) ** 2 + (y + 1) ** 2


def main():
    sampler = optuna.samplers.TPESampler(seed=7)
    study = optuna.create_study(study_name="parabola", sampler=sampler)
    study.enqueue_trial({"x": 0.0, "y": 0})
    study.optimize(objective, n_trials=60)
    print("trials:", len(study.trials))
    print("first:", study.trials[0].value)
    print("best value:", study.best_value)
    for name, value in study.best_params.items():
        print(f"    {name}: {value}")


if __name__ == "__main__":
    main()
