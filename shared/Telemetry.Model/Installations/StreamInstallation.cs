using System.Globalization;

namespace Telemetry.Model.Installations;

/// <summary>The log's record of the installation: the newest facts, and whether a repartition is under way.</summary>
/// <param name="Facts">The facts of the newest generation.</param>
/// <param name="Next">The number of partitions that a repartition under way is making; 0 when there is none.</param>
public sealed record StreamInstallation(InstallationFacts Facts, int Next = 0)
{
    private const string NextKey = " next=";

    /// <summary>The text of this record in the log.</summary>
    public string Description => Next == 0
        ? Facts.Description
        : Facts.Description + NextKey + Next.ToString(CultureInfo.InvariantCulture);

    /// <summary>Why nothing is appended now; null when appends are accepted.</summary>
    public string? Closed => Next == 0
        ? null
        : $"the partitions are being changed from {Facts.Partitions} to {Next}; nothing is taken until that is done";

    /// <summary>Reads the text; false when it is not one of ours.</summary>
    public static bool TryParse(string? description, out StreamInstallation told)
    {
        told = null!;
        if (!InstallationFacts.TryParse(description, out var facts))
        {
            return false;
        }

        var at = description!.IndexOf(NextKey, StringComparison.Ordinal);
        var next = 0;
        if (at >= 0 && !int.TryParse(
            description.AsSpan(at + NextKey.Length), NumberStyles.None, CultureInfo.InvariantCulture, out next))
        {
            return false;
        }

        told = new StreamInstallation(facts, next);
        return true;
    }
}
