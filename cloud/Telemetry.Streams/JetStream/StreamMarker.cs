using NATS.Client.JetStream;
using NATS.Client.JetStream.Models;
using Telemetry.Model.Installations;

namespace Telemetry.Streams.JetStream;

/// <summary>
/// The stream TELEMETRY. It holds no messages: its description records which installation the log belongs to, which
/// generation of streams is in use, and whether a repartition is under way. JetStream makes a stream only once, so if
/// two installations share a server by mistake, one of them is refused.
/// </summary>
internal sealed class StreamMarker(JetStreamConnection connection)
{
    /// <summary>Its name.</summary>
    public const string Stream = "TELEMETRY";

    private const string Subject = "tm.installation";
    private const long BytesMax = 64 * 1024;

    /// <summary>
    /// Its content; null when the stream does not exist. Throws <see cref="InstallationException"/> for a stream of
    /// another origin.
    /// </summary>
    public async ValueTask<StreamInstallation?> FindAsync(CancellationToken cancellationToken)
    {
        if (await connection.FindStreamAsync(Stream, cancellationToken) is not { } info)
        {
            return null;
        }

        return StreamInstallation.TryParse(info.Config.Description, out var told)
            ? told
            : throw InstallationException.NoDescription(Stream, info.Config.Description);
    }

    /// <summary>
    /// Makes it if it is missing, and updates it if it records an earlier generation of the same installation. Throws
    /// <see cref="InstallationException"/> when it records anything else.
    /// </summary>
    public async ValueTask<StreamInstallation> EnsureAsync(
        InstallationFacts facts, int replicas, CancellationToken cancellationToken)
    {
        var told = await FindAsync(cancellationToken);
        if (told is null)
        {
            try
            {
                told = new StreamInstallation(facts);
                await connection.Context.CreateStreamAsync(Configuration(told, replicas), cancellationToken);
                return told;
            }
            catch (NatsJSApiException e) when (e.Error.ErrCode == JetStreamErrors.StreamNameInUse)
            {
                told = await FindAsync(cancellationToken)
                    ?? throw new FrameLogException($"{Stream} was made and deleted at the same time", inner: e);
            }
        }

        if (told.Facts == facts)
        {
            return told;
        }

        if (told.Facts.Id != facts.Id || told.Facts.Generation >= facts.Generation)
        {
            throw InstallationException.Changed(facts, told.Facts, InstallationException.InLog);
        }

        await SetAsync(new StreamInstallation(facts), replicas, cancellationToken);
        return new StreamInstallation(facts);
    }

    /// <summary>Records another content from now on.</summary>
    public async ValueTask SetAsync(StreamInstallation told, int replicas, CancellationToken cancellationToken) =>
        await connection.Context.UpdateStreamAsync(Configuration(told, replicas), cancellationToken);

    private static StreamConfig Configuration(StreamInstallation told, int replicas) => new()
    {
        Name = Stream,
        Subjects = [Subject],
        Description = told.Description,
        MaxBytes = BytesMax,
        Discard = StreamConfigDiscard.New,
        DuplicateWindow = TimeSpan.FromMinutes(2),
        NumReplicas = replicas,
    };
}
