-- Positions rise with time, as rows do: a small index that finds the old ones.
CREATE INDEX "events_position_idx" ON "events" USING BRIN ("position");
