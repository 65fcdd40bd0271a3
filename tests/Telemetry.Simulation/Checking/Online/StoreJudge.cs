using Telemetry.Model.Identity;
using Telemetry.Model.Protocol;
using Telemetry.Simulation.Faults;
using Telemetry.Storage;
using Telemetry.TestKit.Simulated;

namespace Telemetry.Simulation.Checking.Online;

/// <summary>
/// Judges each commit of the database: a frame is settled once, with the content that its agent sealed, a reading is
/// stored once, and what is recovered was booked as lost before.
/// </summary>
internal sealed class StoreJudge(
    Func<GatewayId, GatewayFacts> facts, StoreIndex index, Findings findings, Action<Fault, string> struck)
{
    private readonly Dictionary<ulong, GatewayFacts> _owners = [];

    /// <summary>A commit happened; <paramref name="after"/> is the database with it.</summary>
    public void Committed(StoreCommit commit, SimulatedDatabase before, SimulatedDatabase after)
    {
        foreach (var row in commit.Frames)
        {
            Judge(row, facts(row.Gateway), before);
        }

        if (commit.Readings.Count > 0)
        {
            foreach (var reading in after.Readings.Peek())
            {
                Judge(reading);
            }
        }
    }

    private void Judge(FrameRegisterRow row, GatewayFacts gateway, SimulatedDatabase before)
    {
        if (!index.TryAdd(row, out var other))
        {
            findings.Add(row.Gateway, row.Key, $"it is settled, and so is {other!.Key} already");
        }

        if (gateway.Sealed.Find(row.Key, row.Checksum) is not { } made)
        {
            findings.Add(row.Gateway, row.Key, "it is settled, and no agent ever sealed it");
            return;
        }

        var (sum, rejected) = (0UL, 0);
        foreach (var hash in made.Hashes)
        {
            var refused = gateway.Journal.Refused.Contains(hash);
            sum += refused ? 0 : hash;
            rejected += refused ? 1 : 0;
            _owners[hash] = gateway;
        }

        for (var i = 0; i < row.Rejected; i++)
        {
            struck(Fault.ReadingRejected, $"{row.Gateway} {row.Key}");
        }

        if (row.Checksum != made.Checksum
            || row.HashSum != sum || row.Rejected != rejected || row.Stored != made.Hashes.Count - rejected
            || row.Dropped != made.Dropped || row.Stored + row.Rejected + row.Dropped != row.Key.Count)
        {
            findings.Add(row.Gateway, row.Key, $"it is settled with other content than was sealed: {row}, {made}");
        }

        var touched = before.Runs.Values.Where(r => r.Gateway == row.Gateway && r.Epoch == row.Key.Epoch
            && r.Lane == row.Key.Lane && r.Run.State == RunState.Lost && r.Run.Range.Overlaps(row.Key.Range)).ToArray();
        if (touched.Length > 0 && !touched[0].Run.Range.Contains(row.Key.Range))
        {
            findings.Add(row.Gateway, row.Key, $"a part of it alone was lost ({touched[0].Run}), and it is stored");
        }
    }

    private void Judge(SimulatedReading reading)
    {
        var hash = reading.Hash;
        if (_owners.GetValueOrDefault(hash) is not { } owner)
        {
            findings.Add(default, null, $"reading {hash:x16} is stored, and is in no settled frame");
        }
        else if (owner.Journal.Refused.Contains(hash) || !owner.Journal.Entries.ContainsKey(hash))
        {
            findings.Add(
                owner.Id, owner.Sealed.Of(hash)[^1], $"reading {hash:x16} is stored, and is refused or nobody's");
        }
        else if (!index.TryAdd(hash) && !owner.MayBeDoubled(hash))
        {
            findings.Add(
                owner.Id, owner.Sealed.Of(hash)[^1],
                $"its reading {hash:x16} is stored already, in {string.Join(", ", owner.Sealed.Of(hash))}");
        }
    }
}
