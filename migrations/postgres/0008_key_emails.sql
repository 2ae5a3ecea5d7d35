-- The e-mail recorded on a key: as given when it was made, else its user's then.
ALTER TABLE api_keys ADD COLUMN user_email TEXT;
