import { NotFound } from "../../ui/layout.tsx";

export function TimeMachine() {
  return <NotFound />;
}
