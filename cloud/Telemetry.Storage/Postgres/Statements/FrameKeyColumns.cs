using Telemetry.Model.Identity;

namespace Telemetry.Storage.Postgres.Statements;

/// <summary>The five columns that identify a frame: gateway, epoch, lane, first, count.</summary>
internal sealed class FrameKeyColumns(RowsStatement statement)
{
    private readonly List<string> _gateway = statement.Texts();
    private readonly List<long> _epoch = statement.Numbers();
    private readonly List<short> _lane = statement.Small();
    private readonly List<long> _first = statement.Numbers();
    private readonly List<int> _count = statement.Integers();

    public void Add(GatewayId gateway, FrameKey key)
    {
        _gateway.Add(gateway.Value);
        _epoch.Add((long)key.Epoch);
        _lane.Add((short)key.Lane);
        _first.Add(key.First);
        _count.Add(key.Count);
    }
}
