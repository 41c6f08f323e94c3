/**
 * Messages to another process. The first of a turn of the event loop goes at once, those that follow in the same
 * turn together at its end: each crossing costs both sides a system call and a serialisation, as much as the rest of
 * a small image's way.
 */
export function createOutbox<Message>(send: (messages: Message[]) => void): (message: Message) => void {
  let following: Message[] | null = null; // null: none has gone in this turn
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
