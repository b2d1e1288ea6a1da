/** More threads than this make a process slow to start, and lose more chats when it dies. */
const MAX_THREADS_PER_CHILD = 1000
/** A busy thread has a client and a node; of the idle ones, mpm_event lets each wait beside two more clients (AsyncRequestWorkerFactor). */
const FILES_PER_THREAD = 4
/** Logs, listeners, locks, modules of a process. */
const OTHER_FILES = 48
/** Measured: 9,500 idle WebSockets, kB for each thread with a chat. */
const MEMORY_PER_THREAD_KIB = 78
/** Above this one machine does not have the threads that httpd needs, one for each chat. */
export const MAX_CHATS = 100_000

/** Processes and threads that hold `chats` open chats, polling or on WebSocket, where a process may open `openFiles` files. */
export function threadsFor(chats: number, openFiles: number) {
  const most = Math.min(MAX_THREADS_PER_CHILD, Math.floor((openFiles - OTHER_FILES) / FILES_PER_THREAD))
  const spareThreads = Math.max(50, Math.ceil(chats / 10))
  const startServers = Math.max(2, Math.ceil((chats + spareThreads) / most))
  const threadsPerChild = Math.ceil((chats + spareThreads) / startServers)
  const maxRequestWorkers = startServers * threadsPerChild
  const serverLimit = 4 * startServers
  return {
    spareThreads,
    startServers,
    threadsPerChild,
    maxRequestWorkers,
    serverLimit,
    minSpareThreads: Math.min(75, maxRequestWorkers),
    otherFiles: OTHER_FILES,
    filesPerChild: FILES_PER_THREAD * threadsPerChild + OTHER_FILES,
    memory: Math.ceil((maxRequestWorkers * MEMORY_PER_THREAD_KIB) / 1024),
    // listener and main thread of each process; old and new processes live side by side during a reload
    tasks: 2 * startServers * (threadsPerChild + 2) + 1,
  }
}
