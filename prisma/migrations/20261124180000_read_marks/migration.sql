-- CreateTable
CREATE TABLE "read_marks" (
    "user_id" TEXT NOT NULL,
    "room" TEXT NOT NULL,
    "position" BIGINT NOT NULL,

    CONSTRAINT "read_marks_pkey" PRIMARY KEY ("user_id","room")
);
