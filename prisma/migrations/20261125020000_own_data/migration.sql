-- What a person said, for the person who asks for it, and for taking the name out of it when the account is deleted: then it leaves this
-- index, so that nothing has to be looked at twice. Prisma's schema can't say the condition. Narrow, since every message pays for it.
CREATE INDEX "events_user_id_position_idx" ON "events"("user_id", "position")
    WHERE "user_name" <> 'Deleted account';

-- CreateIndex
CREATE INDEX "changes_user_at_id_idx" ON "changes"("user", "at", "id");

-- CreateIndex
CREATE INDEX "changes_by_at_id_idx" ON "changes"("by", "at", "id");
