using System.Text;
using Telemetry.Edge.Uplink;
using Telemetry.Model.Identity;

namespace Telemetry.TestKit.Contracts;

/// <summary>A connector under test, the cloud at its other end, and the failures that a test can cause.</summary>
public abstract class UplinkStand
{
    private readonly Lock _lock = new();
    private readonly List<(string Topic, string Text)> _arrived = [];

    public static GatewayId Gateway { get; } = GatewayId.Parse("gw-1");

    public abstract IUplinkConnector Connector { get; }

    public abstract TimeProvider Time { get; }

    /// <summary>Sessions of the gateway at the cloud, those that are being opened included.</summary>
    public abstract int OpenSessions { get; }

    /// <summary>Opens a session at the cloud; a failure refuses the connection.</summary>
    public Func<Task> Opening { get; set; } = () => Task.CompletedTask;

    /// <summary>What the cloud answers to a publish of this text.</summary>
    public Func<string, Task<PublishOutcome>> Answer { get; set; } = text => Task.FromResult(Accepted(text));

    /// <summary>What has arrived at the cloud, in order.</summary>
    public IReadOnlyList<(string Topic, string Text)> Arrived
    {
        get
        {
            lock (_lock)
            {
                return [.. _arrived];
            }
        }
    }

    /// <summary>A PUBACK with a receipt that belongs to this text alone.</summary>
    public static PublishOutcome Accepted(string text) => new(0, $"receipt of {text}", null);

    /// <summary>Sends a message to the gateway; false: the session cannot take it now.</summary>
    public abstract bool SendDown(string text);

    /// <summary>No connection can be made, and the present one breaks, until <see cref="Mend"/>.</summary>
    public abstract void Cut();

    /// <summary>Ends the cut.</summary>
    public abstract void Mend();

    /// <summary>The present connection breaks; another one can be made.</summary>
    public void Break()
    {
        Cut();
        Mend();
    }

    /// <summary>A publish has arrived; the result is its PUBACK.</summary>
    protected Task<PublishOutcome> TakeAsync(string topic, ReadOnlyMemory<byte> payload)
    {
        var text = Encoding.UTF8.GetString(payload.Span);
        lock (_lock)
        {
            _arrived.Add((topic, text));
        }

        return Answer(text);
    }
}
