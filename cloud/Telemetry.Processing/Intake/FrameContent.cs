using Telemetry.Model.Frames;
using Telemetry.Model.Identity;
using Telemetry.Model.Readings;
using Telemetry.Model.Schemas;
using Telemetry.Model.Wire;
using Telemetry.Processing.Alerts.Evaluation;
using Telemetry.Processing.DataFaults;
using Telemetry.Processing.Windows;
using Telemetry.Storage;

namespace Telemetry.Processing.Intake;

/// <summary>
/// Decodes frames and divides their readings into stored ones and ones rejected with a reason. Handles one frame at a
/// time and reuses its buffers, so that nothing is allocated for each reading.
/// </summary>
internal sealed class FrameContent(
    IStore store, AlertEvaluator alerts, WindowFolder windows, ProcessorOptions options, ProcessorCounters counters)
{
    /// <summary>The most readings of one series that are taken at once.</summary>
    private const int RunMax = 256;

    private readonly ReadingBatch _readings = new(FrameHeader.CountMax);
    private readonly List<Declaration> _declarations = [];
    private readonly ReadingCheck _check = new(options.TimeFirst, options.TimeLast);
    private readonly RejectedReadingWriter _rejected = new();
    private readonly ReadingBuffer _probe = new();
    private readonly Dictionary<int, string> _refused = [];
    private readonly ulong[] _hashes = new ulong[RunMax];

    /// <summary>
    /// For a frame whose readings are suspects, asks the database which of them it refuses; the next call applies the
    /// result.
    /// </summary>
    public async ValueTask SearchAsync(
        ReadOnlyMemory<byte> frame, SeriesList series, SuspectMessage suspect, CancellationToken cancellationToken)
    {
        _refused.Clear();
        if (suspect.Level != SuspectLevel.Readings)
        {
            return;
        }

        _readings.Clear();
        _declarations.Clear();
        _probe.Clear();
        var rows = new List<int>();
        try
        {
            FrameReader.Read(frame.Span, series.Types, _readings, _declarations);
        }
        catch (WireFormatException)
        {
            // The error is reported and counted when the frame is decoded again.
            return;
        }

        for (var i = 0; i < _readings.Count; i++)
        {
            var entry = series.Entries[_readings.Series[i]];
            if (entry.Refusal is null && _check.Fault(_readings, i, entry.Type) is null)
            {
                _probe.AddFrom(_readings, i, entry);
                rows.Add(i);
            }
        }

        foreach (var refused in await store.FindRefusedAsync(_probe, cancellationToken))
        {
            _refused[rows[refused.Row]] = refused.Error;
        }
    }

    /// <summary>
    /// Adds the content of a frame to a transaction: readings, declarations, dead letters. Returns its row of the
    /// register.
    /// </summary>
    public FrameRegisterRow Apply(
        GatewayId gateway, in FrameHeader header, ulong checksum, ReadOnlyMemory<byte> frame, SeriesList series,
        SuspectMessage suspect, StoreCommit commit)
    {
        _readings.Clear();
        _declarations.Clear();
        try
        {
            FrameReader.Read(frame.Span, series.Types, _readings, _declarations);
        }
        catch (WireFormatException malformed)
        {
            // The declarations of such a frame cannot be trusted either: everything that it covers is rejected.
            counters.Malformed++;
            return RefuseAll(gateway, header, checksum, frame, DeadLetterReason.Malformed, malformed.Message, commit);
        }

        if (suspect.Level == SuspectLevel.Everything)
        {
            var refused = RefuseAll(
                gateway, header, checksum, frame, DeadLetterReason.Database, suspect.Error, commit);
            commit.DeadLetters[^1] = commit.DeadLetters[^1] with { Content = DeadLetterContent.Unregistered };
            return refused;
        }

        foreach (var declaration in _declarations)
        {
            commit.Drops.Add(new DropLedgerRow(
                gateway, header.Key, series.Entries[declaration.Series].Identity, declaration));
        }

        if (suspect.Level == SuspectLevel.Frame)
        {
            return Refuse(gateway, header, checksum, frame, DeadLetterReason.Database, suspect.Error, commit);
        }

        var stored = 0;
        ulong sum = 0;
        long first = long.MaxValue, last = long.MinValue;
        _rejected.Clear();
        for (int at = 0, next; at < _readings.Count; at = next)
        {
            next = EndOfStored(at, series);
            if (next == at)
            {
                Reject(gateway, header, series, next++, commit);
                continue;
            }

            stored += next - at;
            foreach (var time in _readings.Times[at..next])
            {
                (first, last) = (Math.Min(first, time), Math.Max(last, time));
            }

            sum += Store(series, at, next, commit);
        }

        _rejected.End(commit, gateway, header.Key, _readings, series);
        return new FrameRegisterRow(
            gateway, header.Key, stored, _rejected.Count, header.Dropped, stored > 0 ? first : 0, stored > 0 ? last : 0,
            checksum, sum);
    }

    /// <summary>
    /// The end of the readings of one series that are stored, from this one on; <paramref name="at"/> itself when it is
    /// rejected.
    /// </summary>
    private int EndOfStored(int at, SeriesList series)
    {
        var index = _readings.Series[at];
        var (type, end) = (series.Types[index], at);
        var last = series.Entries[index].Refusal is null ? Math.Min(at + RunMax, _readings.Count) : at;
        while (end < last && _readings.Series[end] == index && _check.Fault(_readings, end, type) is null
            && (_refused.Count == 0 || !_refused.ContainsKey(end)))
        {
            end++;
        }

        return end;
    }

    private void Reject(
        GatewayId gateway, in FrameHeader header, SeriesList series, int row, StoreCommit commit)
    {
        var (type, entry) = (series.Types[_readings.Series[row]], series.Entries[_readings.Series[row]]);
        var (reason, error) = _check.Fault(_readings, row, type) is { } fault
            ? (fault, _check.Describe(fault, _readings.Times[row]))
            : (DeadLetterReason.Database, entry.Refusal ?? _refused[row]);
        _rejected.Add(commit, gateway, header.Key, _readings, row, series, reason, error);
    }

    /// <summary>Stores readings of one series; returns the sum of their hashes.</summary>
    private ulong Store(SeriesList series, int from, int to, StoreCommit commit)
    {
        var index = _readings.Series[from];
        var (type, entry) = (series.Types[index], series.Entries[index]);
        var times = _readings.Times[from..to];
        var flags = _readings.Flags[from..to];
        var bits = _readings.Bits[from..to];
        var hashes = _hashes.AsSpan(0, to - from);
        var sum = ReadingHash.OfRows(_readings, from, hashes, entry.Identity, type);
        windows.Take(index, entry, times, flags, bits, hashes);
        if (alerts.Watches(index))
        {
            for (var i = 0; i < times.Length; i++)
            {
                alerts.Take(index, type, times[i], flags[i], bits[i]);
            }
        }

        commit.Readings.AddFrom(_readings, from, to, entry);
        return sum;
    }

    private static FrameRegisterRow RefuseAll(
        GatewayId gateway, in FrameHeader header, ulong checksum, ReadOnlyMemory<byte> frame, DeadLetterReason reason,
        string error, StoreCommit commit) =>
        Refuse(gateway, header with { Kind = FrameKind.Readings, Dropped = 0 }, checksum, frame, reason, error, commit);

    private static FrameRegisterRow Refuse(
        GatewayId gateway, in FrameHeader header, ulong checksum, ReadOnlyMemory<byte> frame, DeadLetterReason reason,
        string error, StoreCommit commit)
    {
        commit.DeadLetters.Add(new DeadLetterRow(
            gateway, header.Key, reason, error, header.Present, default, 0, frame));
        return new FrameRegisterRow(gateway, header.Key, 0, header.Present, header.Dropped, 0, 0, checksum, 0);
    }
}
