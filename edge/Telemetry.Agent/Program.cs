using Telemetry.Agent.Configuration;
using Telemetry.Agent.Hosting;
using Telemetry.Runtime;

// The daemon of one gateway:
//   Telemetry.Agent run   --config agent.json
//   Telemetry.Agent check --config agent.json      says what would keep it from starting, by key
// TELEMETRY_AGENT__SECTION__KEY in the environment overrides section.key of the file.

var command = CommandLine.Parse(args);
if (command is null)
{
    return CommandLine.Answer("Telemetry.Agent", args, Console.Out, Console.Error);
}

var options = command.Read(AgentOptions.Read, Environment.GetEnvironmentVariables(), Console.Error);
if (options is null)
{
    return EdgeProcess.Misused;
}

var process = new EdgeProcess([options], options.StatusPort, options.StopTimeout, TimeProvider.System);
if (command.Check)
{
    List<string> problems = [.. process.Problems()];
    if (problems.Count > 0)
    {
        problems.ForEach(Console.Error.WriteLine);
        return EdgeProcess.Misused;
    }

    Console.WriteLine($"{command.ConfigurationFile}: gateway {options.Gateway}, outbox {options.OutboxFile}, "
        + $"uplink {options.Uplink.Host}:{options.Uplink.Port}{(options.Uplink.Tls ? " (TLS)" : "")}"
        + $"{(options.Traces.EndpointShown is { Length: > 0 } collector ? $", traces to {collector}" : "")}: good");
    return EdgeProcess.Ended;
}

using var logging = EdgeProcess.Logging();
return await process.RunAsync(logging, SystemRandom.Instance);
