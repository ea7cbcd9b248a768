/** A passage on an everyday subject, with questions and the answers that it gives. */
export interface GeneralPassage {
  readonly text: string;
  readonly questions: readonly (readonly [question: string, ...answers: string[]])[];
}

/** The reader's weights were fitted on these, among others. */
export const FITTING_PASSAGES: readonly GeneralPassage[] = [
  {
    text: 'Blue whale. The blue whale is the largest animal that has ever lived. Adults reach a length of about 30 metres and weigh up to 150 tonnes. It eats krill, small crustaceans that drift in cold water. A calf drinks around 200 litres of milk a day. Blue whales live in every ocean except the Arctic. Hunting was banned in 1966.',
    questions: [
      ['What does it eat?', 'krill'],
      ['How long does this animal grow in metres?', '30', '30 metres'],
      ['In what year was hunting banned?', '1966'],
      ['How many litres of milk does a calf drink?', '200', '200 litres'],
    ],
  },
  {
    text: 'Marie Curie: life. Marie Curie was a physicist and chemist who was born in Warsaw on 7 November 1867. She discovered polonium and radium together with her husband, Pierre Curie. In 1903 she won the Nobel Prize in Physics, and in 1911 the Nobel Prize in Chemistry. Her daughters were Irène and Ève. She died in Passy in 1934.',
    questions: [
      ['Where was she born?', 'Warsaw'],
      ['Which elements did she discover?', 'polonium and radium'],
      ['Who was her husband?', 'Pierre Curie'],
      ['What are the names of her daughters?', 'Irène and Ève'],
      ['Where did she die?', 'Passy'],
    ],
  },
  {
    text: 'TrailLite 2 tent. The TrailLite 2 is a tent for two people. It weighs 1,450 grams and packs into a bag of 42 centimetres. The poles are made of aluminium, and the floor is made of nylon. The tent is sold in green, grey and orange. The price is 289 euros. The maker gives a warranty of five years.',
    questions: [
      ['How much does the tent weigh?', '1,450 grams', '1,450'],
      ['What are the poles made of?', 'aluminium'],
      ['Which colours is the tent sold in?', 'green, grey and orange'],
      ['What is the price of this product?', '289 euros', '289'],
      ['How long is the warranty?', 'five years', 'five'],
    ],
  },
  {
    text: 'Eiffel Tower. The Eiffel Tower is a wrought-iron tower in Paris. It was designed by the company of Gustave Eiffel and opened in 1889. The tower is 330 metres tall. Its three levels are open to visitors; the second level holds a restaurant called Le Jules Verne. Workers paint the tower every seven years.',
    questions: [
      ['How tall is it?', '330 metres', '330'],
      ['When was the tower opened?', '1889'],
      ['What is the restaurant called?', 'Le Jules Verne'],
      ['In which city does this tower stand?', 'Paris'],
    ],
  },
  {
    text: 'Mercury is the smallest planet of the Solar System and the closest to the Sun. One orbit takes 88 days. The surface is covered with craters. The temperature falls to -173 degrees at night and rises to 427 degrees by day. Mercury has no moons. Two spacecraft have visited it: Mariner 10 and MESSENGER.',
    questions: [
      ['How many days does one orbit take?', '88', '88 days'],
      ['Which spacecraft have visited the planet?', 'Mariner 10 and MESSENGER'],
      ['What covers the surface?', 'craters'],
    ],
  },
  {
    text: 'Saffron is a spice. It comes from the flower of Crocus sativus, which is known as the saffron crocus. The main producer is Iran. Each flower has three red stigmas, which are picked by hand and dried. About 150 flowers give one gram of saffron. Cooks use it in paella, risotto and bouillabaisse.',
    questions: [
      ['Which country is the main producer?', 'Iran'],
      ['In which dishes do cooks use this spice?', 'paella, risotto and bouillabaisse'],
      ['From which flower does it come?', 'Crocus sativus'],
      ['How many flowers give one gram?', '150', '150 flowers'],
    ],
  },
  {
    text: 'Robin: bird. The robin is a small songbird with an orange breast. Its scientific name is Erithacus rubecula. The nest is built of moss, leaves and hair, often near the ground. The female lays five or six eggs, which hatch after 13 days. Robins feed on insects, worms and berries. A group of them is rarely seen.',
    questions: [
      ['What is the scientific name of this bird?', 'Erithacus rubecula'],
      ['What is its nest built of?', 'moss, leaves and hair'],
      ['After how many days do the eggs hatch?', '13', '13 days'],
      ['What do these birds feed on?', 'insects, worms and berries'],
    ],
  },
  {
    text: 'The Great Fire of London began on 2 September 1666 in a bakery in Pudding Lane. The baker was Thomas Farriner. The fire lasted four days and destroyed 13,200 houses. Samuel Pepys described it in his diary. Christopher Wren designed the new St. Paul’s Cathedral after the fire.',
    questions: [
      ['Who was the baker?', 'Thomas Farriner'],
      ['How many houses were destroyed?', '13,200', '13,200 houses'],
      ['Who described the fire in a diary?', 'Samuel Pepys'],
      ['Who designed the new cathedral?', 'Christopher Wren'],
      ['In which lane did it begin?', 'Pudding Lane'],
    ],
  },
  {
    text: 'Brass is an alloy. It consists of copper and zinc. Adding lead makes it easier to cut. The melting point lies near 930 degrees. Musical instruments such as trumpets and horns are made of brass. A polished surface of the metal looks like gold. The symbol for copper is Cu, and the symbol for zinc is Zn.',
    questions: [
      ['Which metals does the alloy consist of?', 'copper and zinc'],
      ['What is the symbol for zinc?', 'Zn'],
      ['What is the symbol for copper?', 'Cu'],
      ['What makes it easier to cut?', 'lead', 'Adding lead'],
    ],
  },
  {
    text: 'Chess: rules. Chess is played by two people on a board of 64 squares. White moves first. Each side begins with 16 pieces. The most powerful piece is the queen. The knight moves in the form of an L. The aim of the game is checkmate. The governing body is FIDE, which was founded in Paris in 1924.',
    questions: [
      ['What is the aim of the game?', 'checkmate'],
      ['Which piece is the most powerful?', 'queen', 'the queen'],
      ['How many squares does the board have?', '64', '64 squares'],
      ['What is the governing body called?', 'FIDE'],
      ['When was the governing body founded?', '1924'],
    ],
  },
  {
    text: 'The telephone was patented by Alexander Graham Bell in 1876. Thomas Watson assisted him in the workshop. Bell was born in Edinburgh and taught deaf pupils in Boston. The first call was made between two rooms of the same house. Antonio Meucci built an earlier device, which he called the teletrofono.',
    questions: [
      ['Who assisted him?', 'Thomas Watson'],
      ['Who built an earlier device?', 'Antonio Meucci'],
      ['What was the earlier device called?', 'teletrofono'],
      ['In what year was it patented?', '1876'],
      ['In which city did he teach?', 'Boston'],
    ],
  },
  {
    text: 'Hamlet: characters. Hamlet is the prince of Denmark. Claudius murdered the old king and married Gertrude. Polonius gives advice to his children, Laertes and Ophelia. The friend of the prince is Horatio. Fortinbras rules the country at the end. The castle stands at Elsinore.',
    questions: [
      ['Who murdered the old king?', 'Claudius'],
      ['Who gives advice to his children?', 'Polonius'],
      ['Who are the children of Polonius?', 'Laertes and Ophelia'],
      ['Who rules at the end?', 'Fortinbras'],
      ['Where does the castle stand?', 'Elsinore'],
      ['What is the name of the friend of the prince?', 'Horatio'],
    ],
  },
  {
    text: 'Lisbon tram 28. The yellow tram runs between Martim Moniz and Campo de Ourique. The ride takes 48 minutes. The company Carris operates the line. Tickets cost 3 euros. The cars are called Remodelado and were built in the 1930s. Pickpockets like the tram as much as visitors do.',
    questions: [
      ['Which company operates the line?', 'Carris'],
      ['How many minutes does the ride take?', '48', '48 minutes'],
      ['What do tickets cost?', '3 euros', '3'],
      ['What are the cars called?', 'Remodelado'],
      ['Which colour does the tram have?', 'yellow'],
    ],
  },
  {
    text: 'Sunflower. The sunflower belongs to the family of Asteraceae. Its seeds give oil, flour and food for birds. Young plants follow the Sun from east to west. The tallest sunflower, which Hans-Peter Schiffer grew in Germany, measured 9.17 metres. Bees, butterflies and beetles visit the flower. Its native continent is North America.',
    questions: [
      ['Which family does this plant belong to?', 'Asteraceae'],
      ['Who grew the tallest one?', 'Hans-Peter Schiffer'],
      ['Which animals visit the flower?', 'Bees, butterflies and beetles'],
      ['What do its seeds give?', 'oil, flour and food for birds', 'oil, flour and food'],
      ['What is its native continent?', 'North America'],
    ],
  },
  {
    text: 'Volcano facts: Mount Etna. Etna stands on Sicily. The height of the volcano is 3,357 metres. Lava reached the city of Catania in 1669. Farmers grow pistachios, lemons and grapes on its slopes. The Greek god Hephaestus had his forge below the mountain, and the giant Typhon lay beneath it. Its nickname is Mongibello.',
    questions: [
      ['What is the height of the volcano?', '3,357 metres', '3,357'],
      ['Which city did the lava reach?', 'Catania'],
      ['What do farmers grow on its slopes?', 'pistachios, lemons and grapes'],
      ['Which giant lay beneath the mountain?', 'Typhon', 'giant Typhon'],
      ['What is its nickname?', 'Mongibello'],
    ],
  },
];

/** Kept away from the fit. */
export const HELD_OUT_PASSAGES: readonly GeneralPassage[] = [
  {
    text: 'Koala. The koala is a marsupial that lives in Australia. Koalas sleep for about 20 hours a day. They eat the leaves of eucalyptus trees. The young koala is called a joey. It stays in the pouch for six months. A male weighs up to 14 kilograms.',
    questions: [
      ['What is the young of this animal called?', 'joey', 'a joey'],
      ['How many hours a day do they sleep?', '20', '20 hours'],
      ['Which country does it live in?', 'Australia'],
      ['How much does a male weigh?', '14 kilograms', '14', 'up to 14 kilograms'],
    ],
  },
  {
    text: 'AquaPure kettle: description. The AquaPure kettle holds 1.7 litres and boils them in four minutes. The body is made of stainless steel. It is available in black, white and red. The power is 2,200 watts. The designer of the kettle is Anna Lindqvist. The kettle was made in Portugal.',
    questions: [
      ['What is the body made of?', 'stainless steel'],
      ['Which colours is it available in?', 'black, white and red'],
      ['Who is the designer?', 'Anna Lindqvist'],
      ['What is the power of this kettle?', '2,200 watts', '2,200'],
      ['How many litres does the kettle hold?', '1.7', '1.7 litres'],
    ],
  },
  {
    text: 'The Rhine is a river of Europe. It rises in the Swiss Alps and ends in the North Sea. Its length is 1,233 kilometres. The largest cities on its banks are Cologne, Rotterdam and Basel. The Rhine flows through Lake Constance. Its longest tributary is the Moselle.',
    questions: [
      ['What is the length of this river?', '1,233 kilometres', '1,233'],
      ['Which cities are the largest on its banks?', 'Cologne, Rotterdam and Basel'],
      ['What is its longest tributary?', 'Moselle', 'the Moselle'],
      ['In which sea does it end?', 'North Sea', 'the North Sea'],
    ],
  },
  {
    text: 'Guernica is a painting. Pablo Picasso painted it in 1937. It is shown at the Museo Reina Sofía in Madrid. The painting is 7.8 metres wide and 3.5 metres high. The colours are grey, black and white.',
    questions: [
      ['Who painted it?', 'Pablo Picasso'],
      ['When was it painted?', '1937'],
      ['What are the colours of this painting?', 'grey, black and white'],
      ['Which museum shows it?', 'Museo Reina Sofía', 'Museo Reina Sofía in Madrid'],
    ],
  },
];
