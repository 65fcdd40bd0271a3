using System.Text;
using Telemetry.Edge.Uplink;
using Telemetry.Model.Identity;
using Telemetry.TestKit.Contracts;
using Telemetry.TestKit.Simulated;
using Telemetry.TestKit.Time;

namespace Telemetry.Tests.TestKit.Simulated;

/// <summary>The simulated link under the contract of all connectors.</summary>
public sealed class SimulatedLinkTests : UplinkConnectorContract
{
    protected override Task RunAsync(Func<UplinkStand, Task> test)
    {
        var pump = new Pump();
        pump.Run(() => test(new Stand(pump)));
        return Task.CompletedTask;
    }

    private sealed class Stand : UplinkStand
    {
        private readonly SimulatedLink _link;
        private readonly List<Func<ReadOnlyMemory<byte>, bool>> _sessions = [];

        public Stand(Pump pump)
        {
            var ingress = new SimulatedIngress(
                new ProcessLife(pump), (_, topic, payload, _) => TakeAsync(topic, payload), OpenAsync);
            _link = new SimulatedLink(pump, new Random(1), Gateway, () => [ingress]);
            Time = pump.Clock;
        }

        public override IUplinkConnector Connector => _link;

        public override TimeProvider Time { get; }

        public override int OpenSessions => _sessions.Count;

        public override bool SendDown(string text) => _sessions[^1](Encoding.UTF8.GetBytes(text));

        public override void Cut() => _link.Cut();

        public override void Mend() => _link.Mend();

        private async Task<IAsyncDisposable> OpenAsync(
            GatewayId gateway, Func<ReadOnlyMemory<byte>, bool> send, CancellationToken cancellationToken)
        {
            _sessions.Add(send);
            try
            {
                await Opening();
                return new Session(() => _sessions.Remove(send));
            }
            catch
            {
                _sessions.Remove(send);
                throw;
            }
        }
    }

    private sealed class Session(Action end) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            end();
            return ValueTask.CompletedTask;
        }
    }
}
