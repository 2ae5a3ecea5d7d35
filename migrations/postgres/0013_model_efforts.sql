-- How hard the models can be told to think. Null: as the program knows.
ALTER TABLE model_overrides ADD COLUMN efforts TEXT COLLATE "C";
