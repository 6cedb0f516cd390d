"""`peerwatt-hub worker`: takes frames in; the copy that leads attests, clears, settles and reconciles."""
