using Telemetry.Edge.Configuration;
using Telemetry.Edge.Hosting;

// The daemon of one gateway:
//   Telemetry.Agent run   --config agent.json
//   Telemetry.Agent check --config agent.json      says what is wrong with the configuration, by key
// TELEMETRY_AGENT__SECTION__KEY in the environment overrides section.key of the file.

var command = CommandLine.Parse(args);
if (command is null)
{
    Console.Error.WriteLine("usage: Telemetry.Agent run|check --config FILE");
    return EdgeProcess.Misused;
}

var options = command.Read(AgentOptions.Read, Environment.GetEnvironmentVariables(), Console.Error);
if (options is null)
{
    return EdgeProcess.Misused;
}

if (command.Check)
{
    if (FolderCheck.Problem("outbox.file", options.OutboxFile) is { } problem)
    {
        Console.Error.WriteLine(problem);
        return EdgeProcess.Misused;
    }

    Console.WriteLine($"{command.ConfigurationFile}: gateway {options.Gateway}, outbox {options.OutboxFile}, "
        + $"uplink {options.Uplink.Host}:{options.Uplink.Port}{(options.Uplink.Tls ? " (TLS)" : "")}"
        + $"{(options.Traces.EndpointShown is { Length: > 0 } collector ? $", traces to {collector}" : "")}: good");
    return EdgeProcess.Ended;
}

using var logging = EdgeProcess.Logging();
return await new EdgeProcess([options], options.StatusPort, options.StopTimeout, TimeProvider.System)
    .RunAsync(logging, Random.Shared.Next());
