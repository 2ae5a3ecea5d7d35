-- The smart model whose slot a request went to: what its name costs is a sum of its own.
ALTER TABLE usage_series ADD COLUMN smart_model TEXT;
