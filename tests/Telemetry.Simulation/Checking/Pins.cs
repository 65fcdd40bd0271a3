using Telemetry.Edge.Outbox;
using Telemetry.Model.Control;
using Telemetry.Simulation.Worlds;

namespace Telemetry.Simulation.Checking;

/// <summary>
/// Readings that must not be lost although log and database were damaged: what an agent still held when it learnt of
/// the database that was put back. From then on only the newer database's word may free it.
/// </summary>
internal sealed class Pins
{
    private readonly HashSet<ulong> _readings = [];
    private bool _waits;
    private long _putBackAtMicros;
    private HelloId _said;

    /// <summary>Hashes of the readings.</summary>
    public IReadOnlySet<ulong> Readings => _readings;

    /// <summary>The database was put back: whoever holds what is settled again.</summary>
    public void DatabaseWasPutBack(long nowMicros)
    {
        _readings.Clear();
        _waits = true;
        _putBackAtMicros = nowMicros;
    }

    /// <summary>The agent says a hello.</summary>
    public void Said(ReadOnlySpan<byte> hello) => _said = Hello.Read(hello) is { Full: true } full ? full.Id : _said;

    /// <summary>The agent is about to take a message.</summary>
    public void Takes(ReadOnlySpan<byte> message, GatewayMachine gateway, Outbox outbox)
    {
        if (!_waits || message[0] != (byte)DownKind.StoredAck)
        {
            return;
        }

        // Only the answer to the newest hello rules all earlier words out.
        var ack = StoredAck.Read(message);
        if (ack.InAnswerTo == _said && ack.ServerTimeMicros > _putBackAtMicros)
        {
            _waits = false;
            _readings.UnionWith(EdgeContent.Held(gateway.Id, gateway.Disk.Snapshot(), outbox));
        }
    }
}
