-- The table of events gets partitions by the time in their ids: the key stays one over all of them, and a repeat meets its first. What is
-- there already becomes the partition of all that has no period of its own. Nothing is copied, read or built, so this takes a moment,
-- whatever the table holds; those who wait meanwhile find the new table under the old name.
ALTER TABLE "events" RENAME TO "events_rest";
ALTER TABLE "events_rest" RENAME CONSTRAINT "events_pkey" TO "events_rest_pkey";
ALTER INDEX "events_room_position_idx" RENAME TO "events_rest_room_position_idx";
ALTER INDEX "events_position_idx" RENAME TO "events_rest_position_idx";
ALTER INDEX "events_user_id_position_idx" RENAME TO "events_rest_user_id_position_idx";

-- CreateTable
CREATE TABLE "events" (
    "room" TEXT NOT NULL,
    "position" BIGINT NOT NULL,
    "prev" BIGINT NOT NULL,
    "kind" TEXT NOT NULL,
    "id" UUID NOT NULL,
    "user_id" TEXT NOT NULL,
    "user_name" TEXT NOT NULL,
    "body" TEXT NOT NULL,
    "reply_to" UUID,

    CONSTRAINT "events_pkey" PRIMARY KEY ("room","id")
) PARTITION BY RANGE ("id");

-- CreateIndex
CREATE INDEX "events_room_position_idx" ON "events"("room", "position");
CREATE INDEX "events_position_idx" ON "events" USING BRIN ("position");
CREATE INDEX "events_user_id_position_idx" ON "events"("user_id", "position")
    WHERE "user_name" <> 'Deleted account';

-- Its indexes are equal, and become those of the whole.
ALTER TABLE "events" ATTACH PARTITION "events_rest" DEFAULT;
