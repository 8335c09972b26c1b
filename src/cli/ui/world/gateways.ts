import { type GatewayChoice, type OpenGateway, openGateway } from '../../../client/gateway.ts';
import type { HoopError } from '../../../core/errors.ts';
import type { Invocation } from '../../command.ts';
import { visible } from '../../render/text.ts';
import { actorText, gatewayChoice } from '../../with-gateway.ts';
import type { Me } from '../state/model.ts';

/**
 * Two instances at the gateway: the person's, who looks at evidence and decides, and the one for tunnels, which acts as the agent
 * that the profile or the command line names. Where neither names one it is one and the same.
 */
export class Gateways {
  readonly person: OpenGateway;
  readonly tunnels: OpenGateway;
  readonly me: Me;

  private constructor(person: OpenGateway, tunnels: OpenGateway, me: Me) {
    this.person = person;
    this.tunnels = tunnels;
    this.me = me;
  }

  /**
   * @param onOver Told when one of them has come to its end, and which, unless it was not open yet.
   * @throws {HoopError} as `openGateway`.
   */
  static async open(
    invocation: Invocation,
    onOver: (error: HoopError, instance?: OpenGateway) => void,
  ): Promise<Gateways> {
    const choice = gatewayChoice(invocation);
    const { env } = invocation.io;
    const open = async (more: GatewayChoice) => {
      let instance: OpenGateway | undefined;
      const over = (error: HoopError, final: boolean) => {
        if (final) onOver(error, instance);
      };
      instance = await openGateway({ ...choice, ...more }, env, over);
      return instance;
    };
    const person = await open({ asPerson: true });
    try {
      const tunnels = isAgent(choice, person) ? await open({}) : person;
      const [mine, theirs] = await Promise.all([person.api.whoami(), tunnels.api.whoami()]);
      const { gateway, deadline } = mine;
      const name = actorText(mine);
      // On whose authority an agent acts is said before it.
      const as =
        tunnels === person
          ? undefined
          : theirs.person === mine.name
            ? visible(theirs.name)
            : actorText(theirs);
      return new Gateways(person, tunnels, { gateway, deadline, name, tunnelsAs: as });
    } catch (error) {
      person.close();
      throw error;
    }
  }

  close(): void {
    this.person.close();
    if (this.tunnels !== this.person) this.tunnels.close();
  }
}

function isAgent({ agent, model }: GatewayChoice, { profile }: OpenGateway): boolean {
  return (agent ?? model ?? profile?.agent ?? profile?.model) !== undefined;
}
