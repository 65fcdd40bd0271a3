namespace Telemetry.Model.Installations;

/// <summary>
/// What this process was told, and what database or log hold, belong to different installations. It does not mend
/// itself, so the process ends; <c>check</c> says the same sentence.
/// </summary>
public sealed class InstallationException(string message) : Exception(message)
{
    /// <summary>Where facts stand, in words for people.</summary>
    public const string InDatabase = "the database", InLog = "the log";

    /// <summary>The setting <c>partitions</c> is another than the one that holds.</summary>
    /// <param name="setting">What this process is configured with.</param>
    /// <param name="facts">What holds.</param>
    /// <param name="source">Where that stands.</param>
    public static InstallationException Setting(int setting, InstallationFacts facts, string source) => new(
        $"partitions: '{setting}' is configured, but {source} says {facts}. Set partitions to {facts.Partitions} in "
        + $"every process, or change the installation with: telemetry repartition --partitions {setting}");

    /// <summary>Two places that must agree hold facts of different installations.</summary>
    public static InstallationException Foreign(
        InstallationFacts ours, string ourSource, InstallationFacts theirs, string theirSource) => new(
        $"partitions: {theirSource} says {theirs}, but {ourSource} says {ours}. Connect this process to the database "
        + "and the NATS server of one installation");

    /// <summary>The database is of an earlier generation than the log.</summary>
    public static InstallationException PutBack(InstallationFacts database, InstallationFacts log) => new(
        $"partitions: the database says {database}, but the log says {log}: the database was put back to before a "
        + $"repartition. Repeat that step with: telemetry repartition --partitions {log.Partitions}");

    /// <summary>The database was filled, by a version that did not write it down, with another number.</summary>
    public static InstallationException Filled(int setting, string gateway, int partition) => new(
        $"partitions: '{setting}' is configured, but the database was filled with another number: gateway {gateway} is "
        + $"in partition {partition} there. Set partitions to that number in every process");

    /// <summary>What holds was changed while this process was running.</summary>
    public static InstallationException Changed(InstallationFacts ours, InstallationFacts now, string source) => new(
        $"partitions: this process began with {ours}, but {source} now says {now}. Start it again with partitions set "
        + $"to {now.Partitions}");

    /// <summary>A stream of the log says of no installation that it is its.</summary>
    public static InstallationException NoDescription(string stream, string? description) => new(
        $"partitions: stream {stream} has the description '{description}', which says of no installation that it is "
        + "its. It was not made by this program: use a NATS account of its own");
}
