using Telemetry.Model.Installations;
using Telemetry.Storage;
using Telemetry.Streams;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// Finds out at the start what holds, and refuses what does not agree with it. The database is the truth; whoever has
/// it makes the streams, an ingress never does. So of processes with different settings that start at once, those
/// that lose store nothing and append nothing.
/// </summary>
public static class InstallationStart
{
    /// <summary>
    /// The facts for a process that has the database. The first one writes them; an empty database takes those of the
    /// log, from which it can be filled again. Throws <see cref="InstallationException"/> when something disagrees.
    /// </summary>
    public static async Task<InstallationFacts> OfStoreAsync(
        IStore store, IFrameLog log, int partitions, Random random, CancellationToken cancellationToken)
    {
        var told = await log.FindInstallationAsync(cancellationToken);
        var proposed = told?.Facts ?? InstallationFacts.New(partitions, random);
        var facts = await store.InstallAsync(proposed, cancellationToken);
        Compare(facts, told?.Facts);
        CompareSetting(partitions, facts, InstallationException.InDatabase);
        return facts;
    }

    /// <summary>
    /// The facts for a process without a database; null while the log has no streams or is being repartitioned: then
    /// it waits. Throws <see cref="InstallationException"/> when the setting is another.
    /// </summary>
    public static async Task<InstallationFacts?> OfLogAsync(
        IFrameLog log, int partitions, CancellationToken cancellationToken)
    {
        if (await log.FindInstallationAsync(cancellationToken) is not { Next: 0 } told)
        {
            return null;
        }

        CompareSetting(partitions, told.Facts, InstallationException.InLog);
        return told.Facts;
    }

    /// <summary>Refuses a setting that is not what holds.</summary>
    public static void CompareSetting(int partitions, InstallationFacts facts, string source)
    {
        if (facts.Partitions != partitions)
        {
            throw InstallationException.Setting(partitions, facts, source);
        }
    }

    /// <summary>
    /// Refuses a log of another installation, and a database that is behind the log. A log that is behind the database
    /// is brought forward by whoever makes the streams.
    /// </summary>
    public static void Compare(InstallationFacts database, InstallationFacts? log)
    {
        if (log is null || log == database)
        {
            return;
        }

        if (log.Id == database.Id && log.Generation > database.Generation)
        {
            throw InstallationException.PutBack(database, log);
        }

        if (log.Id != database.Id || log.Generation == database.Generation)
        {
            throw InstallationException.Foreign(
                database, InstallationException.InDatabase, log, InstallationException.InLog);
        }
    }
}
