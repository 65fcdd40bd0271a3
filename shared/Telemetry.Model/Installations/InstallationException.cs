namespace Telemetry.Model.Installations;

/// <summary>
/// The settings of this process, the database and the log do not belong to the same installation. This cannot end by
/// itself, so the process ends; <c>check</c> reports the same sentence.
/// </summary>
public sealed class InstallationException(string message) : Exception(message)
{
    /// <summary>The place where facts are kept, as text for people.</summary>
    public const string InDatabase = "the database", InLog = "the log";

    /// <summary>The setting <c>partitions</c> differs from the facts.</summary>
    /// <param name="setting">The setting of this process.</param>
    /// <param name="facts">The facts.</param>
    /// <param name="source">The place where the facts are kept.</param>
    public static InstallationException Setting(int setting, InstallationFacts facts, string source) => new(
        $"partitions: '{setting}' is configured, but {source} says {facts}. Set partitions to {facts.Partitions} in "
        + $"every process, or change the installation with: telemetry repartition --partitions {setting}");

    /// <summary>Two places that must be equal hold facts of different installations.</summary>
    public static InstallationException Foreign(
        InstallationFacts ours, string ourSource, InstallationFacts theirs, string theirSource) => new(
        $"partitions: {theirSource} says {theirs}, but {ourSource} says {ours}. Connect this process to the database "
        + "and the NATS server of one installation");

    /// <summary>The database is of an earlier generation than the log.</summary>
    public static InstallationException PutBack(InstallationFacts database, InstallationFacts log) => new(
        $"partitions: the database says {database}, but the log says {log}: the database was put back to before a "
        + $"repartition. Repeat that step with: telemetry repartition --partitions {log.Partitions}");

    /// <summary>
    /// The database was filled with another number of partitions, by a version that did not record it.
    /// </summary>
    public static InstallationException Filled(int setting, string gateway, int partition) => new(
        $"partitions: '{setting}' is configured, but the database was filled with another number: gateway {gateway} is "
        + $"in partition {partition} there. Set partitions to that number in every process");

    /// <summary>The facts were changed while this process was running.</summary>
    public static InstallationException Changed(InstallationFacts ours, InstallationFacts now, string source) => new(
        $"partitions: this process began with {ours}, but {source} now says {now}. Start it again with partitions set "
        + $"to {now.Partitions}");

    /// <summary>A stream of the log does not name the installation that it belongs to.</summary>
    public static InstallationException NoDescription(string stream, string? description) => new(
        $"partitions: stream {stream} has the description '{description}', which does not name an "
        + "installation. It was not made by this program: use a NATS account of its own");
}
