/**
 * Sends messages to another process in few pieces: the first of a turn of the event loop at once, those that follow in
 * the same turn together at its end. Each piece costs both processes a system call and a serialisation, about as much
 * as all other work on a small image.
 */
export function coalesceMessages<Message>(send: (messages: Message[]) => void): (message: Message) => void {
  let following: Message[] | null = null; // null: nothing was sent in this turn
  const endTurn = () => {
    const messages = following!;
    following = null;
    if (messages.length > 0) send(messages);
  };
  return (message) => {
    if (following) {
      following.push(message);
      return;
    }
    following = [];
    setImmediate(endTurn);
    send([message]);
  };
}
