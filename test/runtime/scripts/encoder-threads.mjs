// How encoder threads and their process end: encoder-threads.mjs <package> <idle|exit|unsettled> [images ...]
const [packageUrl, mode, ...images] = process.argv.slice(2);
const { DescriptorImageEncoder, imageEncoderInThreads } = await import(packageUrl);
const encoder = imageEncoderInThreads(new DescriptorImageEncoder(), { threads: 2 });
await encoder.encodeImages(images);
if (mode === 'idle') console.log('{}');
if (mode === 'exit') {
  console.log('{}');
  for (let i = 0; i < 20; i++) encoder.encodeImages(images).catch(() => undefined);
  setTimeout(() => process.exit(0), 20);
}
if (mode === 'unsettled') {
  process.exitCode = 3;
  encoder.encodeImages(images).then(() => {
    process.exitCode = 0;
    console.log('{}');
  });
}
