using Telemetry.Cloud.Hosting;
using Telemetry.Model.Installations;

namespace Telemetry.Cloud.Commands.Repartition;

/// <summary>What a repartition finds to be done.</summary>
internal enum RepartitionWork
{
    /// <summary>The installation has this number of partitions.</summary>
    Nothing,

    /// <summary>A change that was begun is taken back: this is the number that still holds.</summary>
    Cancel,

    /// <summary>The transaction of a change is durable, and the log was not told yet.</summary>
    Finish,

    /// <summary>A change is begun, or gone on with.</summary>
    Change,

    /// <summary>The database was put back to before a change that was made: it is made again.</summary>
    Repeat,
}

/// <summary>Decides, from what database and log say, what there is to be done.</summary>
internal static class RepartitionPlan
{
    /// <summary>Throws <see cref="InstallationException"/> when that number may not be asked for now.</summary>
    public static RepartitionWork Of(InstallationFacts database, StreamInstallation? log, int partitions)
    {
        if (log is not null && log.Facts.Id != database.Id)
        {
            InstallationStart.Compare(database, log.Facts);
        }

        if (log is null || log.Facts == database)
        {
            return partitions != database.Partitions
                ? Wanted(log, partitions)
                : log is { Next: not 0 } ? RepartitionWork.Cancel : RepartitionWork.Nothing;
        }

        if (log.Facts.Generation < database.Generation)
        {
            return RepartitionWork.Finish;
        }

        if (log.Facts.Generation == database.Generation)
        {
            InstallationStart.Compare(database, log.Facts);
        }

        return partitions == log.Facts.Partitions
            ? RepartitionWork.Repeat
            : throw InstallationException.PutBack(database, log.Facts);
    }

    private static RepartitionWork Wanted(StreamInstallation? log, int partitions) =>
        log is null || log.Next == 0 || log.Next == partitions
            ? RepartitionWork.Change
            : throw new InstallationException(
                $"partitions: a change to {log.Next} is under way. Finish it with --partitions {log.Next}, or take it "
                + $"back with --partitions {log.Facts.Partitions}");
}
