"""Which of scikit-learn's classifiers, with which settings: parameters that hang on another."""

import optuna
from sklearn.datasets import load_wine
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

X, y = load_wine(return_X_y=True)


def make_model(trial):
    kind = trial.suggest_categorical("classifier", ["svm", "forest", "logistic"])
    if kind == "svm":
        kernel = trial.suggest_categorical("kernel", ["rbf", "poly"])
        degree = trial.suggest_int("degree", 2, 4) if kernel == "poly" else 3
        return SVC(
            C=trial.suggest_float("svm_c", 1e-3, 1e3, log=True), kernel=kernel, degree=degree
        )
    if kind == "forest":
        depth = trial.suggest_categorical("depth", [None, 2, 4])
        trees = trial.suggest_int("trees", 5, 25, step=5)
        return RandomForestClassifier(trees, max_depth=depth, random_state=0)
    return LogisticRegression(C=trial.suggest_float("logistic_c", 1e-4, 1e2, log=True))


def objective(trial):
    model = make_pipeline(StandardScaler(), make_model(trial))
    scores = cross_val_score(model, X, y, cv=3)
    trial.set_user_attr("folds", scores.round(4).tolist())
    return scores.mean()


def report_best(study, trial):
    if study.best_trial.number == trial.number:
        print(f"trial {trial.number}: {trial.value:.4f} with {trial.params['classifier']}")


if __name__ == "__main__":
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    study = optuna.create_study(direction="maximize", study_name="wine")
    study.optimize(objective, n_trials=25, callbacks=[report_best])
    best = study.best_trial
    print("best accuracy:", best.value)
    print("with:", best.params)
    print("folds:", best.user_attrs["folds"])
