-- migrate:up
-- The rates in force at a moment: the last that took effect before or at it. PostgreSQL puts the body in place of a call
CREATE FUNCTION rates_in_force(moment timestamptz) RETURNS SETOF rates LANGUAGE sql STABLE AS $$
    SELECT * FROM rates WHERE effective_from <= moment ORDER BY effective_from DESC LIMIT 1
$$;

-- migrate:down
DROP FUNCTION rates_in_force;
