using System.Globalization;

namespace Telemetry.Cloud.Commands.Repartition;

/// <summary>The arguments of the command <c>repartition</c>.</summary>
internal static class RepartitionArguments
{
    /// <summary>As <c>partitions</c> in the configuration.</summary>
    public const int PartitionsMax = 1024;

    /// <summary>
    /// Takes <c>--partitions N</c> out of the options, wherever it stands; null when it is not there or N is not
    /// allowed.
    /// </summary>
    public static string[]? Take(string[] options, out int partitions)
    {
        partitions = 0;
        var at = Array.IndexOf(options, "--partitions");
        return at >= 0 && at + 1 < options.Length
            && int.TryParse(options[at + 1], NumberStyles.None, CultureInfo.InvariantCulture, out partitions)
            && partitions is >= 1 and <= PartitionsMax
            ? [.. options[..at], .. options[(at + 2)..]]
            : null;
    }
}
