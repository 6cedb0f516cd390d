"""An outsider's audit of the hub: named checks over what anybody can read, without the database and without a key."""
