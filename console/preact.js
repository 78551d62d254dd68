// The only file that says where the library lies: the server shows it under the path that it has on disk.
export {
  Component,
  html,
  render,
  useCallback,
  useEffect,
  useErrorBoundary,
  useLayoutEffect,
  useMemo,
  useReducer,
  useRef,
  useState
} from '../node_modules/htm/preact/standalone.module.js'
