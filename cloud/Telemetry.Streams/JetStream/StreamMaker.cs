using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using Telemetry.Model.Installations;
using Telemetry.Model.Protocol;

namespace Telemetry.Streams.JetStream;

/// <summary>
/// Makes the streams of frames, each with the facts of its installation as its description. It never opens a stream
/// that a repartition has closed: in an existing stream it changes only limits.
/// </summary>
internal sealed class StreamMaker(JetStreamConnection connection, JetStreamFrameLogOptions options)
{
    /// <summary>Throws <see cref="InstallationException"/> when a stream has other facts than these.</summary>
    public static void Check(StreamInfo info, InstallationFacts facts)
    {
        var configuration = info.Config;
        if (!InstallationFacts.TryParse(configuration.Description, out var carried))
        {
            throw InstallationException.NoDescription(configuration.Name!, configuration.Description);
        }

        if (carried != facts)
        {
            throw InstallationException.Changed(facts, carried, $"the description of stream {configuration.Name}");
        }
    }

    /// <summary>Makes a stream, or gives an existing one the limits of the options.</summary>
    public async Task EnsureAsync(
        StreamInstallation told, int partition, StreamKind kind, CancellationToken cancellationToken)
    {
        var wanted = Configuration(told.Facts, partition, kind);
        var found = await connection.FindStreamAsync(wanted.Name!, cancellationToken);
        if (found is null)
        {
            if (told.Closed is { } closed)
            {
                throw new FrameLogException($"{wanted.Name!} is not there: {closed}");
            }

            try
            {
                await connection.Context.CreateStreamAsync(wanted, cancellationToken);
                return;
            }
            catch (NatsJSApiException e) when (e.Error.ErrCode == JetStreamErrors.StreamNameInUse)
            {
                found = await connection.FindStreamAsync(wanted.Name!, cancellationToken)
                    ?? throw new FrameLogException($"{wanted.Name!} was made and deleted at the same time", inner: e);
            }
        }

        // Streams made before descriptions existed belong to the installation that made the first stream, which names
        // it.
        var isOlder = string.IsNullOrEmpty(found.Config.Description) && told.Facts.Generation == 1;
        if (!isOlder)
        {
            Check(found, told.Facts);
            wanted = wanted with { Subjects = found.Config.Subjects };
        }

        if (told.Closed is null && (isOlder || !HasLimitsOf(found.Config, wanted)))
        {
            await connection.Context.UpdateStreamAsync(wanted, cancellationToken);
        }
    }

    /// <summary>The configuration of a stream.</summary>
    public StreamConfig Configuration(InstallationFacts facts, int partition, StreamKind kind) => new()
    {
        Name = StreamNames.Stream(partition, kind, facts.Generation),
        Subjects = [StreamNames.Subjects(facts.Generation, facts.Partitions, partition, kind)],
        Description = facts.Description,
        MaxBytes = kind == StreamKind.Live ? options.LiveBytesMax : options.BacklogBytesMax,
        MaxAge = options.MaxAge,
        DuplicateWindow = options.DuplicateWindow < options.MaxAge ? options.DuplicateWindow : options.MaxAge,
        Discard = StreamConfigDiscard.New,
        Storage = StreamConfigStorage.File,
        NumReplicas = options.Replicas,
    };

    private static bool HasLimitsOf(StreamConfig found, StreamConfig wanted) =>
        found.MaxBytes == wanted.MaxBytes && found.MaxAge == wanted.MaxAge
        && found.DuplicateWindow == wanted.DuplicateWindow && found.NumReplicas == wanted.NumReplicas;
}
