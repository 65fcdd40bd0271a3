using System.Globalization;
using System.Text.RegularExpressions;

namespace Telemetry.Model.Installations;

/// <summary>
/// What is fixed when the system is installed. The database keeps these facts, and the log's streams have them in their
/// description, so that a process with another setting is refused before it does anything.
/// </summary>
/// <param name="Id">Identifies the database and the log that belong together.</param>
/// <param name="Partitions">P: determines each gateway's partition.</param>
/// <param name="Generation">1, and one more after each repartition, which makes new streams.</param>
public sealed partial record InstallationFacts(Guid Id, int Partitions, int Generation)
{
    /// <summary>The facts of a new installation.</summary>
    public static InstallationFacts New(int partitions, Random random)
    {
        Span<byte> id = stackalloc byte[16];
        random.NextBytes(id);
        return new InstallationFacts(new Guid(id), partitions, 1);
    }

    /// <summary>The text of the streams' descriptions.</summary>
    public string Description => string.Create(
        CultureInfo.InvariantCulture, $"installation={Id:N} partitions={Partitions} generation={Generation}");

    /// <summary>Reads a description; false when it is not one of ours.</summary>
    public static bool TryParse(string? description, out InstallationFacts facts)
    {
        facts = null!;
        if (description is null || Pattern().Match(description) is not { Success: true } match
            || !Guid.TryParseExact(match.Groups[1].ValueSpan, "N", out var id)
            || !TryNumber(match.Groups[2], out var partitions) || !TryNumber(match.Groups[3], out var generation))
        {
            return false;
        }

        facts = new InstallationFacts(id, partitions, generation);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Partitions} partitions (installation {Id:N}, generation {Generation})");

    private static bool TryNumber(Group group, out int number) =>
        int.TryParse(group.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number > 0;

    [GeneratedRegex(
        "^installation=([0-9a-f]{32}) partitions=([0-9]{1,9}) generation=([0-9]{1,9})( |$)",
        RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
