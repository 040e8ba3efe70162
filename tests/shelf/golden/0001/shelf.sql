BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0001');
CREATE TABLE configuration (
	barcode TEXT NOT NULL, 
	version INTEGER NOT NULL, 
	settings TEXT NOT NULL, 
	PRIMARY KEY (barcode)
);
INSERT INTO "configuration" VALUES('9ZJG-A753-04FE-998W',1,'{"activation": "relu", "batch_size": 64, "beta1": 0.9, "beta2": 0.999, "epochs": 100, "epsilon": 1e-08, "hidden_layers": [128, 128], "initialisation": "he_normal", "learning_rate": 0.001, "loss": "cross_entropy", "optimizer": "adam", "patience": 16, "scaling": "standard"}');
INSERT INTO "configuration" VALUES('REK5-69HD-8PAY-HAHC',1,'{"activation": "relu", "batch_size": 64, "beta1": 0.9, "beta2": 0.999, "epochs": 100, "epsilon": 1e-08, "hidden_layers": [128, 128], "initialisation": "he_normal", "learning_rate": 0.002, "loss": "cross_entropy", "optimizer": "adam", "patience": 16, "scaling": "standard"}');
INSERT INTO "configuration" VALUES('7DZ8-AQ9Q-TGBK-FM5S',1,'{"activation": "relu", "batch_size": 64, "beta1": 0.9, "beta2": 0.999, "epochs": 100, "epsilon": 1e-08, "hidden_layers": [128, 128], "initialisation": "he_normal", "learning_rate": 0.003, "loss": "cross_entropy", "optimizer": "adam", "patience": 16, "scaling": "standard"}');
CREATE TABLE curve (
	study_id INTEGER NOT NULL, 
	trial INTEGER NOT NULL, 
	epoch INTEGER NOT NULL, 
	train_loss FLOAT, 
	validation_loss FLOAT, 
	validation_score FLOAT, 
	PRIMARY KEY (study_id, trial, epoch), 
	FOREIGN KEY(study_id, trial) REFERENCES trial (study_id, number) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "curve" VALUES(1,0,1,1.0,0.3333333333333333,0.7);
INSERT INTO "curve" VALUES(1,0,2,0.5,9e999,0.7);
INSERT INTO "curve" VALUES(1,0,3,0.3333333333333333,0.3333333333333333,NULL);
INSERT INTO "curve" VALUES(1,0,4,0.25,0.3333333333333333,0.7);
INSERT INTO "curve" VALUES(1,1,1,1.0,0.3333333333333333,0.7);
INSERT INTO "curve" VALUES(1,1,2,0.5,9e999,0.7);
INSERT INTO "curve" VALUES(1,1,3,0.3333333333333333,0.3333333333333333,NULL);
INSERT INTO "curve" VALUES(1,1,4,0.25,0.3333333333333333,0.7);
CREATE TABLE job (
	study_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	trial INTEGER NOT NULL, 
	rung INTEGER NOT NULL, 
	from_epoch INTEGER NOT NULL, 
	to_epoch INTEGER NOT NULL, 
	keep FLOAT NOT NULL, 
	done BOOLEAN NOT NULL, 
	retired INTEGER, 
	status TEXT, 
	epoch INTEGER, 
	best_epoch INTEGER, 
	loss FLOAT, 
	score FLOAT, 
	seconds FLOAT, 
	steps INTEGER, 
	reason TEXT, 
	PRIMARY KEY (study_id, number), 
	FOREIGN KEY(study_id, trial) REFERENCES trial (study_id, number) ON DELETE CASCADE
);
INSERT INTO "job" VALUES(1,0,0,0,0,4,9e999,1,0,'finished',4,4,0.2,0.30000000000000004,0.1,10,'');
INSERT INTO "job" VALUES(1,1,1,0,0,4,0.25,1,1,'paused',4,4,0.2,0.30000000000000004,0.1,10,'');
INSERT INTO "job" VALUES(1,2,2,0,0,4,9e999,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
CREATE TABLE study (
	id INTEGER NOT NULL, 
	name TEXT NOT NULL, 
	"key" TEXT NOT NULL, 
	created TEXT NOT NULL, 
	seconds FLOAT NOT NULL, 
	status TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	task TEXT NOT NULL, 
	metric TEXT NOT NULL, 
	direction TEXT NOT NULL, 
	seed INTEGER NOT NULL, 
	test_uses INTEGER NOT NULL, 
	settings TEXT NOT NULL, 
	understood TEXT NOT NULL, 
	result TEXT, 
	PRIMARY KEY (id), 
	UNIQUE (name)
);
INSERT INTO "study" VALUES(1,'Größe ''a''','key of Größe ''a''','2026-01-02T03:04:05+00:00',1.5,'open','rows','multiclass','accuracy','maximize',7,1,'{"space": {"learning_rate": [0.001, 0.1]}, "nothing": null}','["1797 rows", "10 classes"]','{"winner": null}');
CREATE TABLE trial (
	study_id INTEGER NOT NULL, 
	number INTEGER NOT NULL, 
	barcode TEXT NOT NULL, 
	copy TEXT NOT NULL, 
	purpose TEXT NOT NULL, 
	split TEXT NOT NULL, 
	seed INTEGER NOT NULL, 
	status TEXT NOT NULL, 
	epoch INTEGER NOT NULL, 
	best_epoch INTEGER NOT NULL, 
	loss FLOAT, 
	score FLOAT, 
	seconds FLOAT NOT NULL, 
	steps INTEGER NOT NULL, 
	parameters INTEGER NOT NULL, 
	size INTEGER NOT NULL, 
	file TEXT NOT NULL, 
	checksum TEXT NOT NULL, 
	preparation TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	PRIMARY KEY (study_id, number), 
	FOREIGN KEY(study_id) REFERENCES study (id), 
	FOREIGN KEY(barcode) REFERENCES configuration (barcode)
);
INSERT INTO "trial" VALUES(1,0,'9ZJG-A753-04FE-998W','2Q17-KJN8-NZWK-R00T','search','holdout',9223372036854775807,'finished',4,4,0.2,0.30000000000000004,0.1,10,0,112,'networks/1/0-4.safetensors','66506c29a164a227be83d0eebcea806fe28946a29174b531dd7c901fa42dfff4','preparations/10370d1f7e4be4bf56378cf863ad361e17dfebf3e6412774f3bd00fecba1acb9.safetensors','');
INSERT INTO "trial" VALUES(1,1,'REK5-69HD-8PAY-HAHC','4W2V-0V60-2P1W-MNQE','search','holdout',9223372036854775806,'paused',4,4,0.2,0.30000000000000004,0.1,10,0,112,'networks/1/1-4.safetensors','9fa0a28d1e14a91df59fd6069053dc698935a76760a628398ea740a0e79fec7a','preparations/10370d1f7e4be4bf56378cf863ad361e17dfebf3e6412774f3bd00fecba1acb9.safetensors','');
INSERT INTO "trial" VALUES(1,2,'7DZ8-AQ9Q-TGBK-FM5S','PD49-7Q6W-X2X6-H0DH','search','holdout',9223372036854775805,'running',0,0,NULL,NULL,0.0,0,0,0,'','','','');
CREATE INDEX ix_study_key ON study ("key");
CREATE INDEX ix_trial_barcode ON trial (barcode);
CREATE INDEX ix_trial_copy ON trial (copy);
CREATE UNIQUE INDEX ix_job_retired ON job (study_id, retired);
CREATE INDEX ix_job_trial ON job (study_id, trial);
COMMIT;
