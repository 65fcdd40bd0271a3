using Telemetry.Cloud.Commands;
using Telemetry.Runtime;

// A process of the cloud, and what an operator does beside it: `Telemetry.Cloud --help` names the commands.
var streams = new CommandStreams(Console.In, Console.Out, Console.Error);
return await new CloudCommandLine(streams, TimeProvider.System, SystemRandom.Instance).RunAsync(args);
