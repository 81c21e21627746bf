// Steps of a story: each is named, and the last line says how many went well.

const done = { passed: 0, failed: 0 };

/** Counts and prints what happens in `act`; a step that fails ends the story. @param {string} name @param {() => Promise<void>} act */
export async function step(name, act) {
  try {
    await act();
  } catch (error) {
    done.failed += 1;
    console.log('FAILED', name);
    throw error;
  }
  done.passed += 1;
  console.log('ok    ', name);
}

/** Tells a story, then prints the counts. @param {() => Promise<void>} tell */
export async function story(tell) {
  try {
    await tell();
  } catch (error) {
    if (done.failed === 0) done.failed = 1;
    console.log(error);
  }
  console.log(`${done.passed} passed, ${done.failed} failed`);
  process.exit(done.failed === 0 ? 0 : 1);
}
