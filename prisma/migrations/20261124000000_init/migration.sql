-- CreateTable
CREATE TABLE "rooms" (
    "id" TEXT NOT NULL,
    "name" TEXT NOT NULL,
    "created_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "rooms_pkey" PRIMARY KEY ("id")
);

-- CreateTable
CREATE TABLE "members" (
    "room" TEXT NOT NULL,
    "user" TEXT NOT NULL,
    "joined_at" TIMESTAMPTZ(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,

    CONSTRAINT "members_pkey" PRIMARY KEY ("room","user")
);

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
);

-- CreateTable
CREATE TABLE "log_progress" (
    "partition" INTEGER NOT NULL,
    "partitions" INTEGER NOT NULL,
    "caught_up_at" BIGINT NOT NULL,

    CONSTRAINT "log_progress_pkey" PRIMARY KEY ("partition")
);

-- CreateIndex
CREATE INDEX "events_room_position_idx" ON "events"("room", "position");

-- The room that exists from the first start.
INSERT INTO "rooms" ("id", "name") VALUES ('lobby', 'Lobby');
