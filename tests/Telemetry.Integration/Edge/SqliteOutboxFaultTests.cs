using Microsoft.Data.Sqlite;
using Telemetry.Edge.Outbox;
using Telemetry.Edge.Outbox.Sqlite;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Servers;

namespace Telemetry.Integration.Edge;

/// <summary>The contract with errors of SQLite put in at its statements, the COMMIT among them.</summary>
public sealed class SqliteOutboxFaultTests : OutboxFaultContract
{
    private readonly TemporaryFolder _folder = new();
    private Action<string>? _before;

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await _folder.DisposeAsync();
    }

    [Theory]
    [InlineData(OutboxFault.Io)]
    [InlineData(OutboxFault.Full)]
    public async Task An_error_at_any_statement_of_a_commit_leaves_all_as_it_was(OutboxFault fault)
    {
        await CommitAsync(1, segment: 1);
        var statements = 0;
        for (var failing = 1; ; failing++)
        {
            var left = failing;
            _before = sql =>
            {
                // A full disk stays full: one that is asked for room gives none.
                if (sql != "ROLLBACK" && (--left == 0 || (left < 0 && fault == OutboxFault.Full)))
                {
                    throw Error(fault);
                }
            };
            try
            {
                await CommitAsync(2, segment: 2, removed: 1);
                break;
            }
            catch (OutboxException e)
            {
                Assert.Equal((fault, true), (e.Fault, e.IsUndone));
                statements = failing;
            }
        }

        // BEGIN, totals, a segment in, a segment out, COMMIT.
        Assert.InRange(statements, 5, 20);
        _before = null;
        var image = await ReopenAsync();
        Assert.Equal((2L, 2L), (image.Accepted, Assert.Single(image.Segments).Id));
    }

    [Fact]
    public async Task A_transaction_that_cannot_even_be_rolled_back_breaks_this_opening()
    {
        await CommitAsync(1, segment: 1);
        _before = sql =>
        {
            if (sql is "COMMIT" or "ROLLBACK")
            {
                throw Error(OutboxFault.Io);
            }
        };
        Assert.False((await Assert.ThrowsAsync<OutboxException>(() => CommitAsync(2, segment: 2))).IsUndone);
        _before = null;
        await Assert.ThrowsAsync<OutboxException>(() => CommitAsync(2, segment: 2));
        Assert.Equal(1, (await ReopenAsync()).Accepted);
    }

    protected override async Task<IOutboxFile> OpenFileAsync() => await SqliteOutboxFile.OpenAsync(
        _folder.At("outbox.db"), new SqliteOutboxOptions { BeforeStatement = sql => _before?.Invoke(sql) }, default);

    protected override void FailNextCommit(OutboxFault fault) => Fail("COMMIT", fault);

    protected override void FailNextRead(OutboxFault fault) => Fail("SELECT data, counts FROM segment", fault);

    private static SqliteException Error(OutboxFault fault) => new("SQLite Error: 'put in by a test'.", fault switch
    {
        OutboxFault.Full => 13,
        OutboxFault.ReadOnly => 8,
        OutboxFault.Io => 10,
        OutboxFault.Busy => 5,
        OutboxFault.Corrupt => 11,
        _ => 1,
    });

    // A disk that is full is asked twice, the second time after it was asked for room.
    private void Fail(string statement, OutboxFault fault)
    {
        var times = fault == OutboxFault.Full ? 2 : 1;
        _before = sql =>
        {
            if (sql.StartsWith(statement, StringComparison.Ordinal))
            {
                _before = --times == 0 ? null : _before;
                throw Error(fault);
            }
        };
    }
}
