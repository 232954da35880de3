// What is asked, how often, and which answers are taken.

import assert from "node:assert/strict";
import { mock, test } from "node:test";

import { Questions } from "../../../renderer-demo/state/questions.js";
import { connectionLost } from "../../../renderer-demo/transport.js";

/** Questions with what they led to. */
function asked() {
  const taken = [];
  let again = 0;
  const questions = new Questions((answer) => taken.push(answer), () => (again += 1));
  questions.connectionChanged(true);
  return { questions, taken, again: () => again };
}

/** A question that is answered when told to; `count` is how often it was asked. */
function slow() {
  const question = () => {
    question.count += 1;
    return new Promise((resolve, reject) => Object.assign(question, { resolve, reject }));
  };
  question.count = 0;
  return question;
}

test("nothing is asked twice at a time, and again when it has been answered", async () => {
  const { questions, taken } = asked();
  const question = slow();
  const first = questions.ask("x", question);
  await questions.ask("x", question);
  assert.equal(question.count, 1);
  question.resolve("answer");
  await first;
  assert.deepEqual(taken, ["answer"]);
  void questions.ask("x", question);
  assert.equal(question.count, 2);
});

test("what is asked once is asked again only when it is forgotten or the connection is another", () => {
  const { questions } = asked();
  let count = 0;
  const question = async () => {
    count += 1;
    return null;
  };
  const ask = () => (questions.once("list", question), count);
  assert.equal(ask(), 1);
  assert.equal(ask(), 1);
  questions.forget((about) => about === "other");
  assert.equal(ask(), 1);
  questions.connectionChanged(true);
  assert.equal(ask(), 2);
});

test("an answer from before the connection was lost is not taken", async () => {
  const { questions, taken } = asked();
  const question = slow();
  const asking = questions.ask("x", question);
  questions.connectionChanged(false);
  questions.connectionChanged(true);
  question.resolve("old");
  await asking;
  assert.deepEqual(taken, []);
});

test("a question that the lost connection took along is no failure", async () => {
  const { questions } = asked();
  const question = slow();
  const asking = questions.ask("x", question);
  question.reject(connectionLost());
  await asking;
  void questions.ask("x", question);
  assert.equal(question.count, 2);
});

test("a question that failed is told, and asked again later", async () => {
  mock.timers.enable({ apis: ["setTimeout"] });
  const { questions, again } = asked();
  const question = slow();
  const asking = questions.ask("x", question);
  question.reject(new Error("no"));
  await assert.rejects(asking, /no/);
  await questions.ask("x", question);
  assert.deepEqual([question.count, again()], [1, 0]);
  mock.timers.tick(3000);
  assert.equal(again(), 1);
  void questions.ask("x", question);
  assert.equal(question.count, 2);
  mock.timers.reset();
});
