using Microsoft.Extensions.Logging;
using Telemetry.Cloud.Configuration;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;
using Telemetry.Runtime;
using Telemetry.Storage;
using Telemetry.Storage.Postgres;
using Telemetry.Streams;
using Telemetry.Streams.JetStream;

namespace Telemetry.Cloud.Commands.Repartition;

/// <summary>
/// The command <c>repartition</c>: changes the number of partitions of an installation. The order of durability: the
/// streams take nothing any more; everything in them is stored; streams of a new generation are made; one transaction
/// changes the database; the log says so. Killed anywhere, the same command goes on; the gateways keep meanwhile what
/// they have.
/// </summary>
internal sealed class RepartitionCommand(
    CloudSettings settings, TimeProvider time, Random random, ILogger logger, TextWriter output, TextWriter errors)
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    /// <summary>Gives the process' exit code.</summary>
    public async Task<int> RunAsync(int partitions, CancellationToken cancellationToken)
    {
        if (settings.Database is not { } database)
        {
            errors.WriteLine("database.connection: is missing");
            return 2;
        }

        try
        {
            await using var store = await PostgresStore.OpenAsync(database, time, cancellationToken);
            await using var nats = await JetStreamConnection.ConnectAsync(
                settings.Nats with { TimeProvider = time }, cancellationToken: cancellationToken);
            await RunAsync(store, nats, partitions, cancellationToken);
            return 0;
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            errors.WriteLine("stopped; the same command goes on from here");
            return 1;
        }
        catch (Exception e)
            when (e is InstallationException or StoreException or FrameLogException or TimeoutException)
        {
            errors.WriteLine($"{e.Message}\nnothing is lost; the same command goes on from here");
            return 1;
        }
    }

    private async Task RunAsync(
        PostgresStore store, JetStreamConnection nats, int partitions, CancellationToken cancellationToken)
    {
        var generations = new StreamGenerations(nats, settings.Log);
        while (true)
        {
            var facts = await store.FindInstallationAsync(cancellationToken)
                ?? throw new InstallationException(
                    "partitions: nothing is installed in this database yet; set partitions and start a processor");
            var told = await generations.FindAsync(cancellationToken);
            switch (RepartitionPlan.Of(facts, told, partitions))
            {
                case RepartitionWork.Nothing:
                    output.WriteLine($"done: {facts}");
                    return;
                case RepartitionWork.Cancel:
                    await generations.OpenAsync(facts, cancellationToken);
                    await generations.TellAsync(new StreamInstallation(facts), cancellationToken);
                    output.WriteLine($"taken back: the change to {told!.Next} partitions; the streams are open again");
                    break;
                case RepartitionWork.Finish:
                    await FinishAsync(generations, facts, cancellationToken);
                    break;
                case RepartitionWork.Change:
                    output.WriteLine($"from {facts} to {partitions} partitions");
                    await generations.TellAsync(new StreamInstallation(facts, partitions), cancellationToken);
                    await ChangeAsync(
                        store, nats, generations, facts,
                        facts with { Partitions = partitions, Generation = facts.Generation + 1 }, cancellationToken);
                    break;
                case RepartitionWork.Repeat:
                    var next = await NextAsync(generations, facts, told!.Facts, cancellationToken);
                    output.WriteLine(
                        $"the database was put back to {facts}: its streams are read again, then the step to {next} "
                        + "is repeated");
                    await ChangeAsync(store, nats, generations, facts, next, cancellationToken);
                    break;
            }
        }
    }

    private static Dictionary<(int Partition, StreamKind Kind), StreamEnd> Ends(
        IReadOnlyDictionary<(int Partition, StreamKind Kind), StreamState> streams) =>
        streams.ToDictionary(s => s.Key, s => new StreamEnd(s.Value.CreatedNanos, s.Value.Last));

    private async Task ChangeAsync(
        PostgresStore store, JetStreamConnection nats, StreamGenerations generations, InstallationFacts from,
        InstallationFacts to, CancellationToken cancellationToken)
    {
        await generations.CloseAsync(from, cancellationToken);
        output.WriteLine("closed: nothing is taken from gateways, which keep what they have");
        CrashPoint.Reach("after-repartition-close");
        var ends = Ends(await generations.EndsAsync(from, cancellationToken));
        await using (var drain = new RepartitionDrain(settings, store, nats, from, time, random, logger))
        {
            string? said = null;
            while (await store.FindUndoneAsync(
                ends, settings.Kafka is not null, cancellationToken) is { } undone)
            {
                await drain.CheckAsync();
                if (undone != said)
                {
                    output.WriteLine($"waits: {said = undone}");
                }

                await Task.Delay(LookEvery, time, cancellationToken);
            }

            output.WriteLine("read: everything that the streams hold is stored");
            await generations.ShrinkAsync(from, cancellationToken);
            await generations.MakeAsync(to, cancellationToken);
            CrashPoint.Reach("after-repartition-make");
            // The same question again under the rows' locks, with new ends, as somebody may have opened a stream.
            ends = Ends(await generations.EndsAsync(from, cancellationToken));
            if (await store.ChangePartitionsAsync(
                from, to, ends, settings.Kafka is not null, random.NextInt64(1, long.MaxValue),
                cancellationToken) is { } late)
            {
                output.WriteLine($"once more: {late}");
                return;
            }
        }

        output.WriteLine($"changed: the database says {to}");
        CrashPoint.Reach("after-repartition-commit");
        await FinishAsync(generations, to, cancellationToken);
    }

    private async Task FinishAsync(
        StreamGenerations generations, InstallationFacts facts, CancellationToken cancellationToken)
    {
        await generations.MakeAsync(facts, cancellationToken);
        if (await generations.FindAsync(cancellationToken) is not { } told || told.Facts.Generation < facts.Generation)
        {
            await generations.TellAsync(new StreamInstallation(facts), cancellationToken);
        }

        output.WriteLine(
            $"open: the log takes frames of generation {facts.Generation}; processes with partitions set to "
            + $"{facts.Partitions} start, others are refused");
    }

    /// <summary>The generation after the database's: the log's own, or one between that was changed again.</summary>
    private static async Task<InstallationFacts> NextAsync(
        StreamGenerations generations, InstallationFacts database, InstallationFacts log,
        CancellationToken cancellationToken) =>
        log.Generation == database.Generation + 1
            ? log
            : await generations.FactsOfAsync(database.Generation + 1, cancellationToken)
                ?? throw new InstallationException(
                    $"partitions: the streams of generation {database.Generation + 1} are gone, between the "
                    + $"database's {database.Generation} and the log's {log.Generation}; take a newer backup");
}
