import { type AnswerReader, isEndMark } from './answer-reader.ts'

/** For calls that are passed through and not recorded: any JSON object will do. */
export function createOpaqueAnswer(): AnswerReader {
  return {
    readEvent: isEndMark,
    readBody: () => true,
    finished: true,
    failure: null,
    size: 0,
    answer: () => ({ text: null, finishReason: null, completionId: null, model: null, output: null })
  }
}
