"""`peerwatt-hub worker`: stores frames on every copy; the copy that leads attests, clears, settles and reconciles."""
