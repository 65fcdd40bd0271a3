using Microsoft.Extensions.Logging;
using Telemetry.Cloud.Health;
using Telemetry.Diagnostics.Failures;
using Telemetry.Model.Installations;
using Telemetry.Storage;
using Telemetry.Streams;
using Telemetry.Streams.JetStream;

namespace Telemetry.Cloud.Hosting;

/// <summary>
/// How a process joins its installation: it finds the facts, is refused where its settings are others, and makes the
/// streams where it has the database. It waits for what is not there yet.
/// </summary>
internal sealed class InstallationEntry(
    int partitions, CloudHealth health, TimeProvider time, Random random, ILogger logger)
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    /// <summary>
    /// The log as this process uses it. <paramref name="store"/> is null in an ingress: it makes no stream. Throws
    /// <see cref="InstallationException"/>.
    /// </summary>
    public async Task<(JetStreamFrameLog Log, InstallationFacts Facts)> EnterAsync(
        IStore? store, JetStreamFrameLog log, CancellationToken cancellationToken)
    {
        var facts = await RetryAsync(
            "Finding the installation", () => FindAsync(store, log, cancellationToken), cancellationToken);
        OperationsLog.InstallationFound(logger, facts.ToString());
        log = log.As(facts);
        for (var partition = 0; store is not null && partition < facts.Partitions; partition++)
        {
            await RetryAsync(
                "Making the log's streams",
                async () =>
                {
                    await log.EnsureStreamsAsync(partition, cancellationToken);
                    return true;
                },
                cancellationToken);
        }

        return (log, facts);
    }

    private async Task<InstallationFacts> FindAsync(
        IStore? store, JetStreamFrameLog log, CancellationToken cancellationToken)
    {
        if (store is not null)
        {
            return await InstallationStart.OfStoreAsync(store, log, partitions, random, cancellationToken);
        }

        var waiting = false;
        health.Add("log", () => waiting ? "its streams are not made yet, or are being repartitioned" : null);
        InstallationFacts? facts;
        while ((facts = await InstallationStart.OfLogAsync(log, partitions, cancellationToken)) is null)
        {
            if (!waiting)
            {
                OperationsLog.InstallationAwaited(logger);
            }

            waiting = true;
            await Task.Delay(RetryAfter, time, cancellationToken);
        }

        waiting = false;
        return facts;
    }

    private async Task<T> RetryAsync<T>(string what, Func<Task<T>> step, CancellationToken cancellationToken)
    {
        var trouble = new ReportedFailure($"{what} fails", $"{what} works again", time, logger);
        while (true)
        {
            try
            {
                var done = await step();
                trouble.Worked();
                return done;
            }
            catch (Exception e) when (e is FrameLogException || (e is StoreException && e.InnerException is not null))
            {
                trouble.Failed(e.Message);
                await Task.Delay(RetryAfter, time, cancellationToken);
            }
        }
    }
}
