-- AlterTable
ALTER TABLE "rooms" ADD COLUMN     "archived_at" TIMESTAMPTZ(3),
ADD COLUMN     "direct_key" TEXT,
ADD COLUMN     "kind" TEXT NOT NULL DEFAULT 'public',
ADD COLUMN     "slug" TEXT,
ADD COLUMN     "topic" TEXT NOT NULL DEFAULT '';

-- Rooms that are there already are found by their id; the lobby's is its slug.
UPDATE "rooms" SET "slug" = "id";
ALTER TABLE "rooms" ALTER COLUMN "slug" SET NOT NULL;

-- AlterTable
ALTER TABLE "members" ADD COLUMN     "muted_until" TIMESTAMPTZ(3),
ADD COLUMN     "role" TEXT NOT NULL DEFAULT 'member',
ADD COLUMN     "user_name" TEXT NOT NULL DEFAULT '';

-- A room's maker was its first member. The lobby has none.
UPDATE "members" SET "role" = 'owner'
FROM (SELECT DISTINCT ON ("room") "room", "user" FROM "members" ORDER BY "room", "joined_at", "user") AS maker
WHERE "members"."room" = maker."room" AND "members"."user" = maker."user" AND maker."room" <> 'lobby';

-- CreateTable
CREATE TABLE "bans" (
    "room" TEXT NOT NULL,
    "user" TEXT NOT NULL,
    "user_name" TEXT NOT NULL,
    "reason" TEXT NOT NULL,
    "until" TIMESTAMPTZ(3) NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "bans_pkey" PRIMARY KEY ("room","user")
);

-- CreateTable
CREATE TABLE "invitations" (
    "code" TEXT NOT NULL,
    "room" TEXT NOT NULL,
    "role" TEXT NOT NULL,
    "by" TEXT NOT NULL,
    "by_name" TEXT NOT NULL,
    "uses_left" INTEGER,
    "expires_at" TIMESTAMPTZ(3) NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "invitations_pkey" PRIMARY KEY ("code")
);

-- CreateTable
CREATE TABLE "blocks" (
    "user" TEXT NOT NULL,
    "blocked" TEXT NOT NULL,
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "blocks_pkey" PRIMARY KEY ("user","blocked")
);

-- CreateTable
CREATE TABLE "changes" (
    "id" UUID NOT NULL DEFAULT gen_random_uuid(),
    "at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "room" TEXT,
    "user" TEXT,
    "user_name" TEXT,
    "by" TEXT NOT NULL,
    "by_name" TEXT NOT NULL,
    "action" TEXT NOT NULL,
    "detail" JSONB NOT NULL DEFAULT '{}',

    CONSTRAINT "changes_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE UNIQUE INDEX "rooms_slug_key" ON "rooms"("slug");

-- CreateIndex
CREATE UNIQUE INDEX "rooms_direct_key_key" ON "rooms"("direct_key");

-- CreateIndex
CREATE INDEX "rooms_created_at_id_idx" ON "rooms"("created_at", "id");

-- CreateIndex
CREATE INDEX "members_user_idx" ON "members"("user");

-- CreateIndex
CREATE INDEX "invitations_room_idx" ON "invitations"("room");

-- CreateIndex
CREATE INDEX "blocks_blocked_idx" ON "blocks"("blocked");

-- CreateIndex
CREATE INDEX "changes_at_idx" ON "changes"("at");

-- CreateIndex
CREATE INDEX "changes_room_at_idx" ON "changes"("room", "at");

-- CreateIndex
CREATE INDEX "changes_room_user_idx" ON "changes"("room", "user");
