using Telemetry.Cloud.Commands;
using Telemetry.Runtime;
using Telemetry.Runtime.Commands;

// A process of the cloud, and what an operator does beside it: `Telemetry.Cloud --help` names the commands.
var streams = new CommandStreams(Console.In, Console.Out, Console.Error);
var name = ProgramName.OfThisProcess("Telemetry.Cloud");
return await new CloudCommandLine(name, streams, TimeProvider.System, SystemRandom.Instance).RunAsync(args);
