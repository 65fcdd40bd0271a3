using System.CommandLine;
using System.Globalization;
using Microsoft.Extensions.Logging;
using Telemetry.Cloud.Configuration;

namespace Telemetry.Cloud.Commands.Repartition;

/// <summary>The verb <c>repartition</c>.</summary>
internal static class RepartitionVerb
{
    // As key partitions of the configuration.
    private const int PartitionsMax = 1024;

    public static Command Create(VerbAction<int> run)
    {
        var partitions = ParsedOption.Create<int>(
            "--partitions", "N", "The number of partitions after it.",
            static text => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                && number is >= 1 and <= PartitionsMax ? number : null,
            $"1 to {PartitionsMax}");
        partitions.Required = true;
        var command = new Command("repartition", "Changes the number of partitions.") { partitions };
        command.SetAction((result, cancellationToken) =>
            run(result.GetRequiredValue(partitions)!.Value, result, cancellationToken));
        return command;
    }

    public static async Task<int> RunAsync(
        int partitions, CloudSettings settings, TimeProvider time, Random random, CommandStreams streams,
        CancellationToken cancellationToken)
    {
        using var logging = ConsoleLogging.Create(settings, LogLevel.Warning);
        return await new RepartitionCommand(
            settings, time, random, logging.CreateLogger("Telemetry.Cloud"), streams.Output, streams.Errors)
            .RunAsync(partitions, cancellationToken);
    }
}
