using Telemetry.Edge.Uplink.Sending;
using Telemetry.Model.Protocol;

namespace Telemetry.Tests.Edge.Uplink.Sending;

/// <summary>Which of the cloud's words count.</summary>
public sealed class AnswerOrderTests
{
    private const uint Process = 7;

    private readonly AnswerOrder _order = new();

    [Fact]
    public void Answer_to_a_later_hello_of_this_process_counts() =>
        Assert.True(_order.IsNewer(new HelloId(Process, 1), Process));

    [Fact]
    public void Answer_to_a_hello_of_another_process_never_counts() =>
        Assert.False(_order.IsNewer(new HelloId(Process + 1, 9), Process));

    [Theory]
    [InlineData(4, false)]
    [InlineData(5, false)]
    [InlineData(6, true)]
    public void Answer_counts_when_its_hello_is_later_than_the_one_answered_last(long number, bool counts)
    {
        _order.Take(new HelloId(Process, 5), 11);

        Assert.Equal(counts, _order.IsNewer(new HelloId(Process, number), Process));
    }

    [Fact]
    public void Stored_ack_counts_with_the_token_of_the_newest_answer_alone()
    {
        _order.Take(new HelloId(Process, 1), 11);
        _order.Take(new HelloId(Process, 2), 12);

        Assert.Equal([false, true, false], new ulong[] { 11, 12, 13 }.Select(_order.IsOwners));
    }
}
