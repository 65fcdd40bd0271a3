using Telemetry.Edge.Uplink;
using Telemetry.Model.Identity;
using Telemetry.TestKit.Time;

namespace Telemetry.TestKit.Simulated;

/// <summary>
/// One gateway's link to any ingress that is alive: connections over a network with every kind of fault (<see
/// cref="Strikes"/>). Outlives the agent's process; a new connection replaces the previous one.
/// </summary>
public sealed class SimulatedLink(
    Pump pump, Random random, GatewayId gateway, Func<IReadOnlyList<SimulatedIngress>> ingresses)
    : IUplinkConnector
{
    private static readonly TimeSpan ConnectTimeout = TimeSpan.FromSeconds(5);

    private SimulatedConnection? _current;

    /// <summary>Called at each opportunity for a fault: true when it happens.</summary>
    public Func<LinkFault, bool> Strikes { get; set; } = _ => false;

    /// <summary>True while no connection can be made at all.</summary>
    public bool IsCut { get; private set; }

    /// <summary>How many publishes may wait for their PUBACK.</summary>
    public int InFlightMax { get; set; } = 16;

    /// <summary>
    /// True when a broker of somebody else is between: its PUBACK means only that the broker has the message, which it
    /// sends to an ingress until one accepts it; receipts arrive as messages.
    /// </summary>
    public bool HasBroker { get; set; }

    /// <summary>The gateway whose link it is.</summary>
    public GatewayId Gateway => gateway;

    /// <summary>The delays of the link.</summary>
    public SimulatedCalls Wire { get; } = new(
        pump, random)
    { LatencyMin = TimeSpan.FromMilliseconds(5), LatencyMax = TimeSpan.FromMilliseconds(40) };

    internal Random Random => random;

    /// <inheritdoc/>
    public async Task<IUplinkConnection> ConnectAsync(CancellationToken cancellationToken)
    {
        await Task.Delay(Wire.Latency(), Wire.Time, cancellationToken);
        if (AnIngress() is not { } ingress || IsCut || Strikes(LinkFault.RefusesConnection))
        {
            throw new UplinkException("no ingress can be reached", isTransient: true);
        }

        _current?.Break("taken over by a new connection");
        var connection = new SimulatedConnection(this, ingress);
        _current = connection;
        var session = ingress.Life.Run(() => ingress.OpenSession(gateway, connection.SendDown, CancellationToken.None));
        connection.Session = session;
        var timeout = Task.Delay(ConnectTimeout, Wire.Time, CancellationToken.None);
        try
        {
            await Task.WhenAny(session, connection.Closed, timeout).WaitAsync(cancellationToken);
        }
        catch (OperationCanceledException)
        {
            connection.Break("the agent gave up connecting");
            throw;
        }

        if (!session.IsCompletedSuccessfully || connection.Closed.IsCompleted)
        {
            connection.Break("the ingress did not answer");
            throw new UplinkException($"no session: {session.Exception?.InnerException?.Message}", isTransient: true);
        }

        return connection;
    }

    /// <summary>The cable is unplugged until <see cref="Mend"/>.</summary>
    public void Cut()
    {
        IsCut = true;
        Break("the link was cut");
    }

    /// <summary>The cable is plugged in again.</summary>
    public void Mend() => IsCut = false;

    /// <summary>Breaks the current connection, as when its agent died.</summary>
    public void Break(string why) => _current?.Break(why);

    /// <summary>Breaks the current connection to a process that sends nothing more.</summary>
    public void BreakFrom(ProcessLife ingress, string why)
    {
        if (_current?.Ingress == ingress)
        {
            _current.Break(why);
        }
    }

    internal SimulatedIngress? AnIngress()
    {
        var living = ingresses().Where(i => i.Life.IsAlive).ToArray();
        return living.Length == 0 ? null : living[random.Next(living.Length)];
    }
}
