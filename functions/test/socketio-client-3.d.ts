/** The older library declares no types that its own `exports` let one find; what is used of it is the same. */
declare module "socket.io-client-3" {
  export { io } from "socket.io-client";
}
